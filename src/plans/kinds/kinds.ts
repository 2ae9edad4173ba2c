import type { TSchema } from '../../platform/documents/typebox';
import type { JsonObject } from '../../kernel/json';
import { toAjvSchema } from '../../platform/documents/ajv-schema';
import { API_VERSION } from '../object';
import { BindingSchema } from './binding';
import { CapabilitySchema } from './capability';
import { ExecutionSchema } from './execution';
import { GateSchema } from './gate';
import { GoalSchema } from './goal';
import { PlanSchema } from './plan';

/** A kind of object, and how it is named in paths and on the command line. */
export interface Kind {
  /** in bodies: `Goal` */
  kind: string;
  /** in paths: `goals` */
  resource: string;
  singular: string;
  /** one or more characters, for people in a hurry */
  shortNames: readonly string[];
  schema: TSchema;
}

const kind = (name: string, resource: string, shortNames: readonly string[], schema: TSchema): Kind => ({
  kind: name,
  resource,
  singular: name.toLowerCase(),
  shortNames,
  schema,
});

/** Every kind, in the order in which discovery and `get all` list them. */
export const KINDS: readonly Kind[] = [
  kind('Goal', 'goals', [], GoalSchema),
  kind('Plan', 'plans', [], PlanSchema),
  kind('Capability', 'capabilities', ['cap', 'caps'], CapabilitySchema),
  kind('Binding', 'bindings', [], BindingSchema),
  kind('Execution', 'executions', ['exec', 'execs'], ExecutionSchema),
  kind('Gate', 'gates', [], GateSchema),
];

/** The kind that a body names; undefined for any other word. */
export function kindNamed(name: unknown): Kind | undefined {
  return KINDS.find((each) => each.kind === name);
}

/** The kind that a path names: `goals`. */
export function kindOfResource(resource: string): Kind | undefined {
  return KINDS.find((each) => each.resource === resource);
}

/** The kind that a person names, in any case: `goals`, `goal`, `Goal` or a short name. */
export function kindOfWord(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return KINDS.find(({ resource, singular, shortNames }) => [resource, singular, ...shortNames].includes(wanted));
}

/** The JSON Schema (2020-12) of a kind, as users' editors and API descriptions take it. */
export function publishedSchema({ kind: name, schema }: Kind): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${name} (${API_VERSION})`,
    ...toAjvSchema(schema),
  };
}

/** One schema for a file that may hold any kind: an editor checks each document by the kind that it names. */
export function publishedDocumentSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `PlanSpec document (${API_VERSION})`,
    type: 'object',
    required: ['kind'],
    properties: { kind: { enum: KINDS.map((each) => each.kind) } },
    allOf: KINDS.map((each) => ({
      if: { properties: { kind: { const: each.kind } }, required: ['kind'] },
      then: toAjvSchema(each.schema),
    })),
  };
}
