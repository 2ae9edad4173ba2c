import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
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

/** A state after steps, each of them checked: the destination is ready and has room, and holds no replica of the shard. */
function carriedOut(document: ReturnType<typeof randomState>, steps: readonly { settings: JsonObject }[]) {
  const after = structuredClone(document);
  for (const { settings } of steps) {
    const { shard, from, to } = settings as Record<string, string>;
    const moved = after.shards.find(({ id }) => id === shard)!;
    const node = after.nodes.find(({ id }) => id === to)!;
    const isThere = ({ id, replicas }: JsonObject) =>
      (replicas as string[]).includes(to!) || after.moves.some((move) => move.shard === id && move.to === to);
    const there = after.shards.filter(isThere);
    const { shards: most = Infinity, bytes = Infinity } = (node.capacity ?? {}) as Record<string, number>;
    expect(node.status).toBe('ready');
    expect(isThere(moved)).toBe(false);
    expect(moved.replicas).toContain(from);
    expect(there.length + 1).toBeLessThanOrEqual(most);
    const size = [...there, moved].reduce((total, { size_bytes: one }) => total + (one as number), 0);
    expect(size).toBeLessThanOrEqual(bytes);
    moved.replicas = [...(moved.replicas as string[]).filter((id) => id !== from), to!];
  }
  return after;
}

/** Loads of ready nodes by their replicas' qps, the load of moves in flight at their destination. */
function loads({ nodes, shards, moves }: ReturnType<typeof randomState>): number[] {
  const ready = nodes.filter(({ status }) => status === 'ready');
  return ready.map(({ id }) =>
    shards.reduce((total, shard) => {
      const move = moves.find((one) => one.shard === shard.id);
      const isHere = (shard.replicas as string[]).includes(id as string) && move?.from !== id;
      return isHere || move?.to === id ? total + (shard.qps as number) : total;
    }, 0),
  );
}

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

  it('is legal at every step, never worse than the start, and at rest after it, on 1,000 random states', () => {
    let [moved, second, leftOut] = [0, 0, 0];
    for (let seed = 1; seed <= 1000; seed += 1) {
      const document = randomState(seed);
      const decision = decide(stateOf(document), 'balance', { by: 'qps' });
      let state = document;
      const start = loads(state);
      for (const step of decision.steps) {
        state = carriedOut(state, [step]);
        expect(Math.max(...loads(state))).toBeLessThanOrEqual(Math.max(...start) + 1e-6);
      }
      const shards = decision.steps.map(({ settings }) => `${settings.shard as string} ${settings.from as string}`);
      expect(new Set(shards).size).toBe(shards.length);
      moved += decision.steps.length;
      leftOut += decision.refusals.length;
      if (decision.refusals.length > 0) continue;
      const again = decide(stateOf(state), 'balance', { by: 'qps' });
      second += again.steps.length;
    }
    expect({ moved: moved > 1000, second, leftOut }).toEqual({ moved: true, second: 0, leftOut: expect.any(Number) });
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
