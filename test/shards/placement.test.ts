import { describe, expect, it } from '@jest/globals';
import { decide, shortSteps, stateOf } from './support';

const NODES = [
  { id: 'n1', region: 'eu', zone: 'a', cpu_usage: 60, cost_per_hour: 1, labels: { disk: 'ssd' } },
  { id: 'n2', region: 'eu', zone: 'b', cpu_usage: 20, cost_per_hour: 3, labels: { disk: 'hdd' } },
  { id: 'n3', region: 'us', zone: 'c', cpu_usage: 40, cost_per_hour: 2, labels: { disk: 'ssd' } },
  { id: 'n4', region: 'us', zone: 'd', cpu_usage: 5, cost_per_hour: 2, status: 'draining' },
];
const STATE = { nodes: NODES, shards: [{ id: 's1', size_bytes: 10, qps: 5 }] };

describe('placing a shard', () => {
  it.each([
    ['least_loaded', 'n2'],
    ['most_loaded', 'n1'],
    ['cheapest', 'n1'],
    ['spread', 'n2'],
  ])('by %s takes %s, and never a node that drains', (strategy, node) => {
    const decision = decide(stateOf(STATE), 'placement', { strategy }, { shard: 's1' });
    expect(shortSteps(decision)).toEqual([`add s1 ${node}`]);
    expect(decision.candidates.at(-1)).toMatchObject({ id: 'n4', kept: false, reason: 'is draining' });
  });

  it('takes equal nodes by their ids, and random ones by the seed', () => {
    const nodes = ['n3', 'n1', 'n2'].map((id) => ({ id }));
    const state = stateOf({ nodes, shards: [{ id: 's1' }] });
    expect(shortSteps(decide(state, 'placement', {}, { shard: 's1' }))).toEqual(['add s1 n1']);
    const chosen = [1, 2, 3, 4, 5, 6].map(
      (seed) => shortSteps(decide(state, 'placement', { strategy: 'random', seed }, { shard: 's1' }))[0],
    );
    expect(new Set(chosen).size).toBeGreaterThan(1);
  });

  it('puts the replicas as far apart as the location labels tell', () => {
    const settings = { constraints: { min_replicas: 2, location_labels: ['region', 'zone'] } };
    const decision = decide(stateOf(STATE), 'placement', settings, { shard: 's1' });
    expect(shortSteps(decision)).toEqual(['add s1 n2', 'add s1 n3']);
    expect(decision.terms).toContainEqual({ action: 0, name: 'isolation', weight: 100, before: 0, after: 100 });
  });

  it.each([
    [{ min_replicas: 4 }, 's1 has 0 of 4 replicas and needs 4 more; possible: n2, n3, n1; n4 is draining'],
    [{ min_replicas: 2, region: 'asia' }, 'no node is possible; n1 is not a node with region asia: its region is eu'],
    [{ min_replicas: 3, location_labels: ['region'], isolation_level: 'region' }, 's1 has 0 of 3 replicas'],
    [{ isolation_level: 'rack' }, 'isolation_level rack is not one of location_labels; there are none'],
  ])('refuses %j, and places no fewer', (constraints, refusal) => {
    const decision = decide(stateOf(STATE), 'placement', { constraints }, { shard: 's1' });
    expect(decision.steps).toEqual([]);
    expect(decision.refusals.join()).toContain(refusal);
  });

  it('counts moves in flight against the room of a node', () => {
    const nodes = [
      { id: 'n1', capacity: { shards: 1 } },
      { id: 'n2', capacity: { bytes: 100 } },
      { id: 'n3', capacity: { bytes: 100 } },
    ];
    const shards = [
      { id: 's1', size_bytes: 40 },
      { id: 's2', size_bytes: 70, replicas: ['n2'] },
      { id: 's3', replicas: ['n3'] },
    ];
    const state = stateOf({ nodes, shards, moves: [{ shard: 's3', from: 'n3', to: 'n1' }] });
    const decision = decide(state, 'placement', {}, { shard: 's1' });
    expect(decision.candidates.map(({ reason }) => reason)).toEqual([
      'has no room: 1 of 1 replicas',
      'has no room: 70 of 100 bytes, and s1 has 40',
      '',
    ]);
  });

  it('gives roles to the nodes that can take them', () => {
    const roles = [
      { role: 'leader', count: 2 },
      { role: 'learner', count: 1, constraints: [{ key: 'disk', op: 'in', values: ['hdd'] }] },
    ];
    const decision = decide(stateOf(STATE), 'placement', { roles }, { shard: 's1' });
    expect(decision.steps.map(({ settings }) => `${settings.role as string} ${settings.to as string}`)).toEqual([
      'learner n2',
      'leader n3',
      'leader n1',
    ]);
  });

  it('counts what was decided before', () => {
    const state = stateOf({ nodes: [{ id: 'n1' }, { id: 'n2' }], shards: [{ id: 's1' }, { id: 's2' }] });
    const earlier = decide(state, 'placement', {}, { shard: 's1' }).steps;
    expect(shortSteps(decide(state, 'placement', {}, { shard: 's2', earlier }))).toEqual(['add s2 n2']);
    expect(shortSteps(decide(state, 'placement', {}))).toEqual(['add s1 n1', 'add s2 n2']);
  });

  it('refuses what exceeds its budget, by name', () => {
    const state = stateOf({
      ...STATE,
      nodes: NODES.map(({ cost_per_hour: _cost, ...node }, at) => (at === 1 ? node : NODES[at]!)),
    });
    const over = decide(stateOf(STATE), 'placement', { budget: { cost_per_hour: 2 } }, { shard: 's1' });
    expect(over.refusals).toEqual(['s1: budget.cost_per_hour: the nodes in use would cost 3 an hour, more than 2']);
    const unknown = decide(state, 'placement', { budget: { max_increase: 9 } }, { shard: 's1' });
    expect(unknown.refusals).toEqual(['s1: budget: the cost_per_hour of n2 is not known']);
  });
});
