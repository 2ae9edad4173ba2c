import type { JsonSchema, JsonValue } from '../../kernel/json';
import { JsonSchemaCompiler } from '../../platform/documents/json-schema-compiler';
import { schemaFailures, type SchemaFailure } from './fact-schemas';

/** What is wrong with a value by its schema, each place once; empty when it fits. */
export type ValueCheck = (value: JsonValue) => SchemaFailure[];

/**
 * Compiles the schema of attributes or parameters (JSON Schema, draft 2020-12). Unknown keywords and formats are errors.
 *
 * @param root how faults name the value, `input.deployment.attributes`
 * @throws Error when it is no schema
 */
export function compileValueSchema(schema: JsonSchema, root: string): ValueCheck {
  const validate = new JsonSchemaCompiler().compile(schema);
  return (value) => (validate(value) ? [] : schemaFailures(root, validate));
}

/** Why a document is no JSON Schema; undefined when it is one. */
export function schemaFault(schema: JsonSchema): string | undefined {
  try {
    compileValueSchema(schema, '');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
