import { Type, type Static } from '../../platform/documents/typebox';
import type { JsonValue } from '../../kernel/json';
import { strict } from '../../platform/documents/schema-types';
import { validate, type DocumentPlace } from '../../platform/documents/validate';

const Expected = Type.Object(
  {
    matched: Type.Optional(
      Type.Array(Type.String(), { description: 'names of exactly the policies that match, in any order' }),
    ),
    not_matched: Type.Optional(
      Type.Array(Type.String(), { description: 'policies that are evaluated and do not match' }),
    ),
    unknown: Type.Optional(Type.Array(Type.String(), { description: 'policies that are evaluated and unknown' })),
    missing: Type.Optional(Type.Array(Type.String(), { description: 'exactly the metrics that are missing' })),
    kept: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String()), {
        description: 'by policy exactly the candidates that it keeps, in any order',
      }),
    ),
    actions: Type.Optional(
      Type.Array(Type.Object({}), {
        description: 'exactly the actions that are left, in their order; a key that is not given is not compared',
      }),
    ),
    conflicts: Type.Optional(
      Type.Array(Type.Object({}), { description: 'exactly the conflicts, in their order, such as { kept, dropped }' }),
    ),
    refusals: Type.Optional(Type.Integer({ minimum: 0, description: 'how many refusals there are; 0 when missing' })),
  },
  strict,
);

/** One case: a state in, what policies should come to out. */
const CaseSchema = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    state: Type.Union([Type.String({ minLength: 1 }), Type.Object({})], {
      description: 'a state, or the path of its file from the folder of the fixtures',
    }),
    operation: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    at: Type.Optional(Type.String()),
    policies: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    expect: Expected,
  },
  strict,
);
export type RuleCase = Omit<Static<typeof CaseSchema>, 'state'> & { state: JsonValue };

/** A file of fixtures, `NAME.test.yaml` beside the policies. */
export const FixturesSchema = Type.Object({ tests: Type.Array(CaseSchema, { minItems: 1 }) }, strict);

/** @throws GateError ConfigInvalid with every fault */
export function readFixtures(document: JsonValue, where: DocumentPlace): RuleCase[] {
  return validate<{ tests: RuleCase[] }>(FixturesSchema, document, where).tests;
}
