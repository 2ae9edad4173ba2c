import { describe, expect, it } from '@jest/globals';
import { arrangementAfter, type OwnState } from '../../src/shards/evaluation/own-state';
import { Arrangement } from '../../src/shards/model/arrangement';
import { toDomainStep } from '../../src/shards/model/domain-step';
import type { ShardStep } from '../../src/shards/model/step';
import { readState } from '../../src/shards/state/read-state';
import { randomNumbers, randomState } from './random-states';

/** Everything that an arrangement says of a state, with the order of places. */
function everything(arrangement: Arrangement) {
  return {
    places: arrangement.allShards().map(({ id }) => arrangement.placesOf(id).map((place) => ({ ...place }))),
    nodes: arrangement.nodes.map(({ id }) => [
      [...arrangement.loadOf(id)],
      arrangement.countOn(id),
      arrangement.bytesOn(id),
    ]),
  };
}

/** Moves of random replicas to random nodes, as the arrangement has them by then. */
function* randomMoves(arrangement: Arrangement, seed: number, count: number): Generator<ShardStep> {
  const random = randomNumbers(seed);
  const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  for (let at = 0; at < count; at += 1) {
    const shard = any(arrangement.allShards())?.id ?? 'none';
    const from = any(arrangement.placesOf(shard))?.node;
    const to = any(arrangement.nodes)!.id;
    yield { kind: 'move', shard, to, ...(from === undefined ? {} : { from }), sentence: 'moved' };
  }
}

const SEEDS = [...Array(100).keys()];
const stateOf = (seed: number) => readState(randomState(seed), { file: 'state.json' });

describe('an arrangement', () => {
  it('is after a trial what it was before, to the bit, on 100 random states', () => {
    for (const seed of SEEDS) {
      const arrangement = new Arrangement(stateOf(seed));
      const before = everything(arrangement);
      const inside = arrangement.trial(() => {
        for (const step of randomMoves(arrangement, seed, 8)) arrangement.apply(step);
        const outer = everything(arrangement);
        arrangement.trial(() => {
          for (const step of randomMoves(arrangement, seed + 1, 8)) arrangement.apply(step);
        });
        expect(everything(arrangement)).toEqual(outer);
        return outer;
      });
      expect([seed, everything(arrangement)]).toEqual([seed, before]);
      const again = new Arrangement(stateOf(seed));
      for (const step of randomMoves(again, seed, 8)) again.apply(step);
      expect(everything(again)).toEqual(inside);
    }
  });

  it('is what it was before when a trial throws', () => {
    const arrangement = new Arrangement(stateOf(3));
    const before = everything(arrangement);
    const failing = () =>
      arrangement.trial(() => {
        for (const step of randomMoves(arrangement, 1, 8)) arrangement.apply(step);
        throw new Error('on purpose');
      });
    expect(failing).toThrow('on purpose');
    expect(everything(arrangement)).toEqual(before);
  });

  it('is shared by questions: that of longer and of other earlier steps equals one built for them', () => {
    for (const seed of SEEDS) {
      const state = stateOf(seed);
      const own: OwnState = { state, arrangement: new Arrangement(state) };
      const moves = [...randomMoves(own.arrangement, seed, 6)];
      const steps = moves.map((move) => toDomainStep(move, 0));
      for (const [from, until] of [
        [0, 2],
        [0, 5],
        [0, 0],
        [1, 6],
        [0, 3],
      ] as const) {
        const fresh = new Arrangement(state);
        for (const move of moves.slice(from, until)) fresh.apply(move);
        const shared = arrangementAfter(steps.slice(from, until), own);
        expect(everything(shared.arrangement)).toEqual(everything(fresh));
        expect(shared.moves.map(({ shard, to }) => [shard, to])).toEqual(
          moves.slice(from, until).map(({ shard, to }) => [shard, to]),
        );
      }
    }
  });
});
