import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { readPolicies } from '../../../src/rules/document/read-policies';
import { answerRules } from '../../../src/rules/evaluation/answer';
import { findOutcome, makePlan, type PlanParts } from '../../../src/rules/execution/make-plan';
import { shardDomain } from '../../../src/shards/domain';
import { measuresOf } from '../../../src/shards/simulate/measures';

const NOW_MS = Date.parse('2026-11-26T10:00:10Z');
const parts: PlanParts = {
  domain: shardDomain,
  answer: (policies, state, question) => answerRules(policies, state, shardDomain, { ...question, scores: false }),
  measure: measuresOf,
};
const document = {
  name: 'two-replicas',
  type: 'replication',
  conditions: { metric: 'shard.replica_count', operator: 'lt', value: 2 },
  actions: { replication: { factor: 2 } },
};
const { policies } = readPolicies([{ where: { file: 'rules.json' }, document }], shardDomain);
const pin = { policyId: 'p', name: 'two-replicas', type: 'replication', revision: 1 };
const inForce = { policies, setRevision: 1, pins: new Map([['two-replicas', pin]]) };
const none = { policies: [], setRevision: 2, pins: new Map() };
const question = { operation: 'replicate_shard', policies: ['two-replicas'] };

const stateOf = (observed_at: string, ...replicas: string[][]) => ({
  document: {
    observed_at,
    nodes: [{ id: 'n1' }, { id: 'n2' }],
    shards: replicas.map((nodes, at): JsonObject => ({ id: `s${at}`, qps: 1, replicas: nodes })),
  },
  source: 'state.json',
  guardsVersion: false,
});
const BEFORE = stateOf('2026-11-26T10:00:00Z', ['n1'], ['n1'], ['n1', 'n2']);

describe('the age of a state', () => {
  const planned = (observedAt: string) => () =>
    makePlan(question, inForce, stateOf(observedAt, ['n1']), parts, { nowMs: NOW_MS, maxAgeMs: 10_000 });

  it.each(['2026-11-26T10:00:00Z', '2026-11-26T10:00:20Z'])('at %s is as far off as may be', (observedAt) => {
    expect(planned(observedAt)().steps).toHaveLength(1);
  });
  it.each([
    ['2026-11-26T09:59:59Z', 'FactStale', '11s old'],
    ['2026-11-26T10:00:21Z', 'FactInvalid', '11s in the future'],
  ])('at %s is an error: %s, %s', (observedAt, type, said) => {
    expect(planned(observedAt)).toThrow(expect.objectContaining({ type, message: expect.stringContaining(said) }));
  });
});

describe('what an execution comes to', () => {
  const plan = makePlan(question, inForce, BEFORE, parts, { nowMs: NOW_MS, maxAgeMs: 45_000 });
  const found = (sourced: typeof BEFORE, pinned = inForce) =>
    findOutcome(question, pinned, sourced, parts, { nowMs: NOW_MS, plannedOnMs: plan.observedAtMs });

  it('a plan predicts the measures after its steps and counts the subjects that are not as its policies want them', () => {
    expect(plan.steps).toHaveLength(2);
    expect(plan.unmet).toEqual({ 'two-replicas': 2 });
    expect(plan.impact).toMatchObject({ before: { replicas: 4, load_spread: 1.5 }, predicted: { replicas: 6 } });
  });

  it('what is found is measured on a later state, with the subjects that are still not as wanted', () => {
    const later = stateOf('2026-11-26T10:00:05Z', ['n1', 'n2'], ['n1'], ['n1', 'n2']);
    expect(found(later)).toMatchObject({ found: { replicas: 5 }, unmet: { 'two-replicas': 1 } });
  });

  it('a state that was observed before the execution says nothing of it', () => {
    expect(found(BEFORE)).toBeUndefined();
  });

  it('a policy that was deleted meanwhile asks for nothing', () => {
    expect(found(stateOf('2026-11-26T10:00:05Z', ['n1']), none)).toMatchObject({ found: { replicas: 1 }, unmet: {} });
  });
});
