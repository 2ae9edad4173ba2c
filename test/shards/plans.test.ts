import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import type { DomainDecision } from '../../src/rules/domain';
import { checkPlan, type PlannedState } from './check-plan';
import { randomNumbers, randomState } from './random-states';
import { decide, NOW_MS, stateOf } from './support';

/** Of the two kinds that only move replicas; the others share most of their code. */
const STATES = 1000;
const FEWER_STATES = 300;
const HOUR_MS = 3_600_000;

/** A random state in which some replicas and shards, and seldom the cluster, were moved lately. */
function aged(seed: number): PlannedState {
  const random = randomNumbers(seed * 7919);
  const ago = () => new Date(NOW_MS - Math.floor(random() * 3 * HOUR_MS)).toISOString();
  const document = randomState(seed);
  for (const shard of document.shards) {
    const replicas = shard.replicas as string[];
    if (random() < 0.3) shard.moved_at = ago();
    if (random() < 0.4) shard.placed_at = ago();
    else if (random() < 0.8) shard.placed_at = Object.fromEntries(replicas.map((node) => [node, ago()]));
  }
  return { ...document, cluster: random() < 0.2 ? { last_moved_at: ago() } : {} };
}

/** What may be set for every kind of plan: each seldom enough that plans are left. */
function randomLimits(seed: number): JsonObject {
  const random = randomNumbers(seed * 104729);
  const upTo = (count: number) => Math.floor(random() * count);
  const maybe = (share: number, settings: JsonObject) => (random() < share ? settings : {});
  return {
    ...maybe(0.2, { maxMovesPerRun: upTo(6) }),
    ...maybe(0.2, { maxConcurrentMoves: upTo(6) }),
    ...maybe(0.2, { maxMovesPerNode: 1 + upTo(4) }),
    ...maybe(0.2, { maxMovesPerLabel: { zone: 1 + upTo(4), disk: 2 + upTo(6) } }),
    ...maybe(0.2, { minReplicas: upTo(3) }),
    ...maybe(0.2, { minAge: '30m' }),
    ...maybe(0.2, { cooldown: '20m' }),
    ...maybe(0.2, { budget: { max_increase: upTo(10) } }),
    ...maybe(0.3, {
      constraints: {
        ...maybe(0.4, { labels: { disk: 'ssd' } }),
        ...maybe(0.5, { location_labels: ['region', 'zone'], ...maybe(0.7, { isolation_level: 'zone' }) }),
      },
    }),
  };
}

/** Nodes that the conditions of a policy would drop. */
function candidatesOf(seed: number, { nodes }: PlannedState) {
  const random = randomNumbers(seed * 31);
  if (random() < 0.7) return undefined;
  return nodes.map(({ id }) => {
    const kept = random() < 0.8;
    return { id: id as string, kept, outcome: 'true' as const, reason: kept ? '' : 'dropped' };
  });
}

/** Decides an action on every state and checks the plan; what all of them came to. */
function planAll(name: string, settingsOf: (seed: number) => JsonObject, states: number) {
  const sum = { steps: 0, plans: 0, refused: 0, again: 0 };
  for (let seed = 1; seed <= states; seed += 1) {
    const document = aged(seed);
    const settings = { ...randomLimits(seed), ...settingsOf(seed) };
    const candidates = candidatesOf(seed, document);
    const decided = (of: PlannedState): DomainDecision => {
      const actions = [{ policies: ['one'], action: { name, settings }, ...(candidates && { candidates }) }];
      return decide(stateOf(of), name, settings, { actions });
    };
    const decision = decided(document);
    const dropped = (candidates ?? []).filter(({ kept }) => !kept).map(({ id }) => id);
    const after = checkPlan({ name, settings, document, decision, dropped, where: `seed ${seed}` });
    sum.steps += decision.steps.length;
    sum.plans += Math.sign(decision.steps.length);
    sum.refused += Math.sign(decision.refusals.length);
    if (decision.refusals.length === 0) sum.again += decided(after).steps.length;
  }
  return sum;
}

describe('a plan under random limits on random states is legal at every step, keeps to its limits and is at rest after it', () => {
  it.each<[string, (seed: number) => JsonObject]>([
    [
      'balance',
      (seed) => ({ by: seed % 4 === 0 ? ['qps', 'shards'] : 'qps', minImprovement: seed % 5 === 0 ? 20 : 0 }),
    ],
    ['migration', (seed) => ({ by: 'qps', ...(seed % 2 === 0 && { triggers: [{ metric: 'qps', above: 60 }] }) })],
    ['cost_optimization', () => ({ by: 'shards', max_utilization: 100 })],
    ['replication', (seed) => ({ factor: 1 + (seed % 3), consistency: ['one', 'quorum', 'all'][seed % 3]! })],
  ])('%s', (name, settingsOf) => {
    const states = name === 'balance' || name === 'migration' ? STATES : FEWER_STATES;
    const { again, ...sum } = planAll(name, settingsOf, states);
    expect(again).toBe(0);
    expect({ name, isEnough: sum.plans > states / 20 && sum.steps > states / 5, sum }).toMatchObject({
      isEnough: true,
    });
  });
});
