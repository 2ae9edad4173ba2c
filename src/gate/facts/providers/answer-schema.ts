import { FailureType, GateError } from '../../../kernel/failures';
import type { JsonObject, JsonValue } from '../../../kernel/json';
import { JsonSchemaCompiler } from '../../../platform/documents/json-schema-compiler';

/** What is wrong with an answer, as the rest of a sentence; undefined when it fits. */
export type AnswerCheck = (answer: JsonValue) => string | undefined;

/**
 * Compiles the JSON Schema (draft 2020-12) of a source's whole answer.
 *
 * @throws GateError ConfigInvalid naming `where` when it is no schema; an unknown keyword is a fault
 */
export function compileAnswerSchema(schema: JsonObject, where: string): AnswerCheck {
  try {
    const ajv = new JsonSchemaCompiler();
    const validate = ajv.compile(schema);
    return (answer) => (validate(answer) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'answer' }));
  } catch (cause) {
    const message = `Expected ${where} to be a JSON Schema (draft 2020-12), found: ${(cause as Error).message}`;
    throw new GateError(FailureType.ConfigInvalid, message, [{ type: FailureType.ConfigInvalid, message, where }], {
      cause,
    });
  }
}
