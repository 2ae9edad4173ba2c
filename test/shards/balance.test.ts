import { describe, expect, it } from '@jest/globals';
import { Board } from '../../src/shards/balance/board';
import { searchTarget } from '../../src/shards/balance/search-target';
import { Arrangement } from '../../src/shards/model/arrangement';
import { toPlacementRules } from '../../src/shards/placement/rules';
import { readState } from '../../src/shards/state/read-state';
import { randomState } from './random-states';
import { decide, shortSteps, stateOf } from './support';

const LOADED = {
  nodes: [{ id: 'n1' }, { id: 'n2' }],
  shards: [10, 8, 6, 4].map((qps, at) => ({ id: `s${at}`, qps, replicas: ['n1'] })),
};

describe('balancing', () => {
  it('evens loads with few moves, the one that relieves most first', () => {
    const decision = decide(stateOf(LOADED), 'balance', { by: 'qps' });
    expect(shortSteps(decision)).toEqual(['move s0 n1 n2', 'move s3 n1 n2']);
    expect(decision.terms).toContainEqual({ action: 0, name: 'evenness', weight: 1, before: 2, after: 1 });
    expect(decision.steps[0]!.sentence).toBe(
      'move s0 from n1 to n2: the greatest load goes from 2 to 1.2857 times the mean',
    );
  });

  it.each<[string, object, object, string[], string]>([
    ['threshold', {}, { threshold: 100 }, [], ''],
    [
      'minImprovement',
      {},
      { minImprovement: 101 },
      [],
      'minImprovement: 2 moves would bring the greatest load from 2 to 1',
    ],
    ['leastMovement', {}, { leastMovement: 2 }, ['move s0 n1 n2'], ''],
    ['maxMovesPerRun', {}, { maxMovesPerRun: 1 }, ['move s0 n1 n2'], 's3 from n1 to n2: maxMovesPerRun: 1 moves'],
    ['maxMovesPerNode', {}, { maxMovesPerNode: 1 }, ['move s0 n1 n2'], 'maxMovesPerNode: n1 has 1 moves'],
    ['maxConcurrentMoves', {}, { maxConcurrentMoves: 0 }, [], 'maxConcurrentMoves: 0 moves in flight'],
    [
      'cooldown',
      { cluster: { last_moved_at: '2026-11-27T11:59:00Z' } },
      { cooldown: '5m' },
      [],
      'cooldown: the last move was 1m',
    ],
    ['minReplicas', {}, { minReplicas: 1 }, [], ''],
    ['minAge', {}, { minAge: '1h' }, [], ''],
    [
      'budget',
      {
        nodes: [
          { id: 'n1', cost_per_hour: 1 },
          { id: 'n2', cost_per_hour: 5 },
        ],
      },
      { budget: { cost_per_hour: 4 } },
      [],
      'budget.cost_per_hour: the nodes in use would cost 6 an hour, more than 4',
    ],
  ])('keeps to %s', (_name, state, settings, steps, refusal) => {
    const decision = decide(stateOf({ ...LOADED, ...state }), 'balance', { by: 'qps', ...settings });
    expect(shortSteps(decision)).toEqual(steps);
    expect(decision.refusals.join()).toContain(refusal);
  });

  it('moves another replica out of the way first', () => {
    const full = (count: number) => ({ shards: count });
    const exchange = {
      nodes: [
        { id: 'n1', capacity: full(2) },
        { id: 'n2', capacity: full(2) },
        { id: 'n3', capacity: full(1) },
      ],
      shards: [
        ['a', 10, 'n1'],
        ['b', 9, 'n1'],
        ['c', 1, 'n2'],
        ['d', 3, 'n3'],
      ].map(([id, qps, node]) => ({ id, qps, replicas: [node] })),
    };
    // n3 has room for b only when d has left it.
    const steps = shortSteps(decide(stateOf(exchange), 'balance', { by: 'qps' }));
    expect(steps).toEqual(['move d n3 n2', 'move b n1 n3']);
  });

  it('makes the sorted loads fall with every step of the search', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const state = readState(randomState(seed), { file: 'state.json' });
      const board = new Board(new Arrangement(state), {
        measures: ['qps', 'shards'],
        rules: toPlacementRules({}),
        dropped: new Map(),
        isMovable: () => true,
      });
      let before = board.sortedLoads();
      searchTarget(board, 1, () => {
        const after = board.sortedLoads();
        const at = after.findIndex((load, index) => Math.abs(load - before[index]!) > 1e-10);
        expect(after[at]!).toBeLessThan(before[at]!);
        before = after;
      });
    }
  });
});
