import { Type, type Static } from '../../platform/documents/typebox';
import type { JsonObject } from '../../kernel/json';
import { strict } from '../../platform/documents/schema-types';
import { validate } from '../../platform/documents/validate';
import type { SimulationQuestion } from '../../rules/threads/rule-program';
import { simulate } from './simulate';
import { withNodes } from './what-if';

/** What a simulation takes beside policies and state. */
const OptionsSchema = Type.Object(
  {
    without: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { description: 'ids of nodes to leave out' })),
    add: Type.Optional(Type.Array(Type.Object({}, { description: 'fields of nodes to add, and their count' }))),
  },
  strict,
);

/** A simulation for the service: the stored policies, and beside them those that are tried. */
export function simulateQuestion(question: SimulationQuestion): JsonObject {
  const { before, after, state, nowMs, operation, policies, subject } = question;
  const changes: Static<typeof OptionsSchema> = validate(OptionsSchema, question.options, { file: 'options' });
  const shared = {
    state: withNodes(state, { ...changes, add: (changes.add ?? []) as JsonObject[] }),
    where: { file: 'state' },
    nowMs,
    ...(operation === undefined ? {} : { operation }),
    ...(policies === undefined ? {} : { only: policies }),
    ...(subject === undefined ? {} : { shard: subject }),
  };
  const runs = [simulate({ name: 'stored', policies: before.policies, ...shared })];
  if (after !== before) runs.push(simulate({ name: 'tried', policies: after.policies, ...shared }));
  return { runs: runs as unknown as JsonObject[] };
}
