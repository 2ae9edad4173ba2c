import { describe, expect, it } from '@jest/globals';
import { readPolicies } from '../../src/rules/document/read-policies';
import { answerRules } from '../../src/rules/evaluation/answer';
import { shardDomain } from '../../src/shards/domain';
import { decide, shortSteps, stateOf } from './support';

const full = (shards: number) => ({ shards });

describe('migrating shards', () => {
  const DRAINED = {
    nodes: [{ id: 'n1', status: 'draining' }, { id: 'n2' }, { id: 'n3' }],
    shards: [
      { id: 's1', qps: 5, replicas: ['n1', 'n2'] },
      { id: 's2', qps: 9, replicas: ['n1'] },
    ],
  };

  it('moves replicas from nodes that drain, each to the best node that holds none of the shard', () => {
    expect(shortSteps(decide(stateOf(DRAINED), 'migration', {}))).toEqual(['move s1 n1 n3', 'move s2 n1 n2']);
  });

  it('moves the one replica for which conditions hold', () => {
    const state = stateOf(DRAINED, 'migrate_shard');
    const subject = state.subjects.find(({ names }) => names!.shard === 's1' && names!.source === 'n2')!;
    expect(shortSteps(decide(state, 'migration', {}, { subject }))).toEqual(['move s1 n2 n3']);
  });

  it('moves from a node above a trigger until it is below it', () => {
    const nodes = [
      { id: 'n1', cpu_usage: 90 },
      { id: 'n2', cpu_usage: 10 },
    ];
    const shards = [4, 3, 2].map((qps, at) => ({ id: `s${at}`, qps, replicas: ['n1'] }));
    const triggers = [{ metric: 'cpu_usage', above: 60 }];
    expect(shortSteps(decide(stateOf({ nodes, shards }), 'migration', { triggers }))).toEqual(['move s0 n1 n2']);
  });

  it('moves another replica out of the way where no node has room', () => {
    const state = stateOf({
      nodes: [
        { id: 'n1', status: 'draining' },
        { id: 'n2', capacity: full(1), labels: { disk: 'ssd' } },
        { id: 'n3', capacity: full(1) },
      ],
      shards: [
        { id: 's1', replicas: ['n1', 'n3'] },
        { id: 's2', replicas: ['n2'] },
      ],
    });
    const crowded = decide(state, 'migration', {});
    expect(crowded.refusals).toEqual([
      's1 stays on n1: no node is possible: n1 is draining; holds a replica of s1; n2 has no room: 1 of 1 replicas; n3 holds a replica of s1; has no room: 1 of 1 replicas',
    ]);
    const roomier = stateOf({
      nodes: [
        { id: 'n1', status: 'draining' },
        { id: 'n2', capacity: full(1) },
        { id: 'n3', capacity: full(2) },
      ],
      shards: [
        { id: 's1', replicas: ['n1', 'n3'] },
        { id: 's2', replicas: ['n2'] },
      ],
    });
    expect(shortSteps(decide(roomier, 'migration', {}))).toEqual(['move s2 n2 n3', 'move s1 n1 n2']);
  });

  it.each([
    [{ minReplicas: 1 }, 's2 stays on n1: minReplicas: 0 replicas of s2 would stay up, fewer than 1'],
    [{ maxMovesPerRun: 1 }, 's2 stays on n1: maxMovesPerRun: 1 moves are proposed'],
    [{ minAge: '1h' }, 'minAge: it is not known since when s2 is on n1 (placed_at)'],
    [{ budget: { max_increase: 0 } }, 'budget: the cost_per_hour of n1, n2, n3 is not known'],
  ])('refuses by name what %j forbids', (settings, refusal) => {
    expect(decide(stateOf(DRAINED), 'migration', settings).refusals.join('\n')).toContain(refusal);
  });
});

describe('replicating shards', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((zone, at) => ({ id: `n${at + 1}`, zone, region: at < 2 ? 'eu' : 'us' }));

  it('adds what is missing, and removes orphans when enough stay up', () => {
    const state = stateOf({
      nodes: [...nodes, { id: 'n5', status: 'down' }],
      shards: [{ id: 's1', replicas: ['n1', 'n5'] }],
    });
    const decision = decide(state, 'replication', { factor: 2, constraints: { location_labels: ['region', 'zone'] } });
    expect(shortSteps(decision)).toEqual(['add s1 n3', 'remove s1 n5']);
    expect(decision.steps[1]!.sentence).toBe('remove the replica of s1 from n5: an orphan, is down');
  });

  it('removes replicas that are too many, not below the consistency', () => {
    const state = stateOf({ nodes, shards: [{ id: 's1', replicas: ['n1', 'n2', 'n3'] }] });
    expect(shortSteps(decide(state, 'replication', { factor: 1 }))).toEqual(['remove s1 n2', 'remove s1 n3']);
    const kept = decide(state, 'replication', { factor: 1, minReplicas: 3 });
    expect(kept.steps).toEqual([]);
    expect(kept.refusals[0]).toContain('s1 keeps its replica on n2');
  });

  it('spreads replicas over regions', () => {
    const state = stateOf({ nodes, shards: [{ id: 's1', replicas: ['n1'] }] });
    expect(shortSteps(decide(state, 'replication', { factor: 2, cross_region: { min_regions: 2 } }))).toEqual([
      'add s1 n3',
    ]);
    const tooFew = decide(state, 'replication', { factor: 4, cross_region: { max_per_region: 1 } });
    expect(tooFew.steps).toEqual([]);
    expect(tooFew.refusals[0]).toContain('s1 has 1 of 4 replicas and needs 3 more');
  });
});

describe('optimizing cost', () => {
  const STATE = {
    nodes: [
      { id: 'n1', cost_per_hour: 5, cpu_usage: 10 },
      { id: 'n2', cost_per_hour: 2, cpu_usage: 50 },
      { id: 'n3', cost_per_hour: 1, cpu_usage: 75 },
    ],
    shards: [
      { id: 's1', qps: 10, replicas: ['n1'] },
      { id: 's2', qps: 10, replicas: ['n2'] },
      { id: 's3', qps: 10, replicas: ['n3'] },
    ],
  };

  it('empties the node that saves most, into nodes that keep head-room', () => {
    const decision = decide(stateOf(STATE), 'cost_optimization', {});
    expect(shortSteps(decision)).toEqual(['move s1 n1 n2']);
    expect(decision.terms![0]).toEqual({ action: 0, name: 'cost', weight: 1, before: 8, after: 3 });
  });

  it.each([
    [{ min_saving: 6 }, 'min_saving: 1 moves would save 5 an hour, less than 6'],
    [{ max_utilization: 40 }, 'n1 is not emptied: no node in use can take s1 within max_utilization 40'],
    [{ maxMovesPerRun: 0 }, 'n1 is not emptied: maxMovesPerRun'],
  ])('does nothing where %j forbids it', (settings, refusal) => {
    const decision = decide(stateOf(STATE), 'cost_optimization', settings);
    expect(decision.steps).toEqual([]);
    expect(decision.refusals.join('\n')).toContain(refusal);
  });
});

describe('what is done first', () => {
  const STATE = {
    nodes: [{ id: 'n1' }, { id: 'n2' }, { id: 'n3' }],
    shards: ['s1', 's2'].map((id) => ({ id, replicas: ['n1'] })),
  };
  const moving = (id: string, priority: number) => ({
    name: `move-${id}`,
    type: 'migration',
    conditions: {
      all: [
        { metric: 'shard.id', operator: 'eq', value: id },
        { metric: 'node.id', operator: 'eq', value: 'n2' },
      ],
    },
    actions: { migration: { priority, maxMovesPerRun: 1 } },
  });

  it('is the action of the higher priority, of whatever shard: the limits of the run count for both', () => {
    const documents = [moving('s1', 1), moving('s2', 5)];
    const { policies } = readPolicies(
      documents.map((document) => ({ where: { file: 'rules.json' }, document })),
      shardDomain,
    );
    const answer = answerRules(policies, stateOf(STATE, 'migrate_shard'), shardDomain, { operation: 'migrate_shard' });
    expect(answer.actions.map(({ steps }) => steps.map(({ subject }) => subject))).toEqual([['s2'], []]);
    expect(answer.refusals).toMatchObject([
      { subject: { id: 's1' }, sentence: expect.stringContaining('maxMovesPerRun') },
    ]);
  });
});
