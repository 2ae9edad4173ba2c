import { describe, expect, it } from '@jest/globals';
import type { JsonObject, JsonValue } from '../../src/kernel/json';
import { evaluatePolicies } from '../../src/rules/evaluation/evaluate-policies';
import { readPolicies } from '../../src/rules/document/read-policies';
import { contradictionOf, mergedAction } from '../../src/shards/actions/merge-actions';
import { shardDomain } from '../../src/shards/domain';
import { withinWindow } from '../../src/shards/functions/within-window';
import { olderThan } from '../../src/shards/functions/older-than';

const CONDITION = { metric: 'node.cpu_usage', operator: 'lt', value: 80 };

function policy(type: string, actions: JsonValue): JsonObject {
  return { name: 'one', type, conditions: CONDITION, actions };
}

function read(document: JsonValue) {
  return readPolicies([{ where: { file: 'one.json' }, document }], shardDomain);
}

describe('the shard domain', () => {
  it.each([
    ['placement', { placement: { strategy: 'least_loaded', constraints: { region: 'us-west', min_replicas: 2 } } }],
    ['placement', { placement: { roles: [{ role: 'voter', count: 3 }], constraints: { location_labels: ['zone'] } } }],
    ['migration', { migration: { triggers: [{ metric: 'cpu_usage', above: 80 }], cooldown: '10m', priority: 3 } }],
    ['replication', { replication: { factor: 3, consistency: 'quorum', cross_region: { min_regions: 2 } } }],
    ['load_balancing', { balance: { by: ['qps', 'cpu_usage'], threshold: 10, maxMovesPerLabel: { zone: 2 } } }],
    ['cost_optimization', { cost_optimization: { max_utilization: 70, budget: { cost_per_hour: 9 } } }],
  ])('has the type %s', (type, actions) => {
    expect(read(policy(type, actions)).policies[0]).toMatchObject({ type });
  });

  it.each([
    ['placement', { placement: { strategy: 'best' } }, 'least_loaded'],
    ['placement', { placement: { evennes: 1 } }, 'evennes'],
    ['replication', { replication: {} }, 'factor'],
    ['load_balancing', { balance: { by: [] } }, 'by'],
    ['load_balancing', { balance: { cooldown: 5 } }, 'cooldown'],
    ['placements', { placement: {} }, 'did you mean placement'],
    ['placement', { placement: { constraints: { preferred: [{ key: 'ssd', weight: -1 }] } } }, 'weight'],
  ])('refuses settings of %s that it does not know: %j', (type, actions, fault) => {
    expect(() => read(policy(type, actions))).toThrow(fault);
  });

  it('keeps the nodes for which a condition on nodes holds', () => {
    const { policies } = read(policy('placement', { placement: {} }));
    const candidates = [10, 90].map((cpu, at) => ({ id: `n${at}`, metrics: { node: { cpu_usage: cpu } } }));
    const [found] = evaluatePolicies(policies, [], { nowMs: 0, metrics: {}, candidates }, shardDomain, {
      operation: 'place_shard',
    });
    expect(found!.results[0]).toMatchObject({ matched: true, candidates: [{ kept: true }, { kept: false }] });
  });
});

describe('two actions', () => {
  const action = (settings: JsonObject) => ({ name: 'placement', settings });

  it.each([
    [{ strategy: 'spread' }, { strategy: 'cheapest' }, 'strategy is spread and cheapest'],
    [
      { constraints: { region: ['eu', 'us'] } },
      { constraints: { region: 'asia' } },
      'constraints.region is ["eu","us"] and asia, which have nothing in common',
    ],
    [{ constraints: { labels: { disk: 'ssd' } } }, { constraints: { labels: { disk: 'hdd' } } }, 'labels.disk'],
    [{ factor: 2 }, { factor: 3 }, 'factor is 2 and 3'],
  ])('contradict each other: %j and %j', (one, other, sentence) => {
    expect(contradictionOf(action(one), action(other))).toContain(sentence);
    expect(contradictionOf(action(other), action(one))).toBeDefined();
  });

  it('are merged into the stricter of both', () => {
    const one = action({
      strategy: 'spread',
      constraints: { region: ['eu', 'us'], min_replicas: 2, required: [{ key: 'ssd', op: 'exists' }] },
      maxMovesPerRun: 5,
    });
    const other = action({
      seed: 3,
      constraints: { region: 'us', min_replicas: 3, required: [{ key: 'gpu', op: 'exists' }] },
      maxMovesPerRun: 2,
    });
    expect(contradictionOf(one, other)).toBeUndefined();
    expect(mergedAction(one, other).settings).toEqual({
      strategy: 'spread',
      seed: 3,
      constraints: {
        region: ['us'],
        min_replicas: 3,
        required: [
          { key: 'ssd', op: 'exists' },
          { key: 'gpu', op: 'exists' },
        ],
      },
      maxMovesPerRun: 2,
    });
  });
});

describe('within_window', () => {
  const at = (time: string, args: JsonObject) =>
    withinWindow.evaluate(args, { nowMs: Date.parse(time), metric: () => undefined });

  it.each([
    // 2026-11-27 is a Friday
    ['2026-11-27T22:00:00Z', { from: '22:00', to: '06:00' }, true],
    ['2026-11-27T05:59:59Z', { from: '22:00', to: '06:00' }, true],
    ['2026-11-27T06:00:00Z', { from: '22:00', to: '06:00' }, false],
    ['2026-11-27T12:00:00Z', { from: '09:00', to: '24:00' }, true],
    ['2026-11-28T03:00:00Z', { from: '22:00', to: '06:00', days: ['fri'] }, true],
    ['2026-11-27T03:00:00Z', { from: '22:00', to: '06:00', days: ['fri'] }, false],
    ['2026-11-27T21:30:00Z', { from: '22:00', to: '23:00', time_zone: 'Europe/Berlin' }, true],
  ])('at %s, %j is %s', (time, args, expected) => {
    expect(at(time, args)).toBe(expected);
  });

  it.each([
    [{ from: '22:00' }, 'to'],
    [{ from: '24:30', to: '06:00' }, 'from'],
    [{ from: '22:00', to: '06:00', days: ['friday'] }, 'days'],
    [{ from: '22:00', to: '06:00', time_zone: 'Mars' }, 'time_zone'],
    [{ from: '22:00', to: '06:00', zone: 'UTC' }, 'zone'],
  ])('refuses %j', (args, fault) => {
    expect(withinWindow.argumentFaults(args).join()).toContain(fault);
  });
});

describe('older_than', () => {
  const args = { metric: 'shard.placed_at', age: '1h' };
  const evaluate = (placed: JsonValue | undefined) =>
    olderThan.evaluate(args, { nowMs: Date.parse('2026-11-27T12:00:00Z'), metric: () => placed });

  it.each([
    ['2026-11-27T10:59:59Z', true],
    ['2026-11-27T11:00:00Z', false],
    ['yesterday', undefined],
    [undefined, undefined],
  ])('of %s is %s', (placed, expected) => {
    expect(evaluate(placed)).toBe(expected);
  });

  it('refuses what is no metric and no age', () => {
    expect(olderThan.argumentFaults({ metric: '.', age: 5, more: 1 })).toHaveLength(3);
    expect(olderThan.argumentFaults(args)).toEqual([]);
  });
});
