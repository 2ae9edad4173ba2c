import type { Move, MoveLimits } from '../moves/move-limits';
import { EPSILON, type Board } from './board';

/** A move that is wanted and not proposed, with why. */
export interface LeftOut extends Move {
  reason: string;
}

/** Moves in an order in which they are possible, and those that no order was found for. */
export interface OrderedMoves {
  moves: Move[];
  leftOut: LeftOut[];
}

/** Limits that moves are counted under; what is counted can be taken back. */
export type CountedLimits = Pick<MoveLimits, 'refusal' | 'count' | 'uncount'>;

/** Moves up to which all orders are searched where the first one ends before they are all made. */
const MOST_SEARCHED = 24;

/** Arrangements that such a search looks at. */
const MOST_ARRANGEMENTS = 100;

/**
 * The moves that lead from an arrangement to a target, each shard once, in an order in which each is possible when it is its turn
 * and no arrangement on the way is worse than the start: its greatest load is not above that of the start. The moves that relieve
 * most come first.
 *
 * @param board at the start; at the end it is as the moves leave it
 * @param target the node that each replica is to be on
 * @param limits what may be moved; the moves are counted there
 * @param bound the load that no node's may exceed on the way
 */
export function orderMoves(
  board: Board,
  target: readonly number[],
  limits: CountedLimits,
  bound: number,
): OrderedMoves {
  return new Ordering(board, target, limits, bound).run();
}

class Ordering {
  private readonly home: readonly number[];
  private readonly wanted: readonly number[];
  private readonly waiting: Set<number>;
  private readonly made: number[] = [];

  constructor(
    private readonly board: Board,
    private readonly target: readonly number[],
    private readonly limits: CountedLimits,
    private readonly bound: number,
  ) {
    this.home = [...board.nodeOf];
    this.wanted = target.flatMap((to, replica) => (to === board.nodeOf[replica] ? [] : [replica]));
    this.waiting = new Set(this.wanted);
  }

  run(): OrderedMoves {
    for (let next = this.next(); next !== undefined; next = this.next()) this.make(next);
    if (this.isBlocked() && this.wanted.length <= MOST_SEARCHED) {
      const first = [...this.made];
      while (this.made.length > 0) this.takeBack();
      if (!this.search()) for (const replica of first) this.make(replica);
    }
    const leftOut = [...this.waiting].map((replica) => {
      const move = this.moveOf(replica);
      return { ...move, reason: this.limits.refusal(move) ?? this.blockedReason(replica) };
    });
    return { moves: this.made.map((replica) => this.moveOf(replica)), leftOut };
  }

  /** Whether something waits, and for another reason than a limit: under a limit no order makes all moves. */
  private isBlocked(): boolean {
    if (this.waiting.size === 0) return false;
    return [...this.waiting].every((replica) => this.limits.refusal(this.moveOf(replica)) === undefined);
  }

  /** Depth first over the orders, no set of moves twice: what they leave does not depend on their order. */
  private search(): boolean {
    const bits = new Map(this.wanted.map((replica, at) => [replica, 1 << at]));
    const seen = new Set<number>();
    const descend = (made: number): boolean => {
      const possible = this.possible();
      if (possible.length === 0) return this.waiting.size === 0;
      for (const replica of possible) {
        const next = made | bits.get(replica)!;
        if (seen.has(next)) continue;
        if (seen.size >= MOST_ARRANGEMENTS) return false;
        seen.add(next);
        this.make(replica);
        if (descend(next)) return true;
        this.takeBack();
      }
      return false;
    };
    return descend(0);
  }

  /** Of the moves that are possible now the one that relieves most. */
  private next(): number | undefined {
    let next: number | undefined;
    let [hottest, best] = [-1, Infinity];
    for (const replica of this.waiting) {
      const { load, change } = this.relief(replica);
      if (load < hottest - EPSILON || (load <= hottest + EPSILON && change >= best)) continue;
      if (this.isPossible(replica)) [next, hottest, best] = [replica, load, change];
    }
    return next;
  }

  /** The moves that are possible now, in the order of `next`. */
  private possible(): number[] {
    const found = [...this.waiting].filter((replica) => this.isPossible(replica));
    const reliefs = found.map((replica) => ({ replica, ...this.relief(replica) }));
    return reliefs
      .sort((one, other) => other.load - one.load || one.change - other.change)
      .map(({ replica }) => replica);
  }

  /** The load of the node that a replica leaves, and what its move changes in the sum of the squares. */
  private relief(replica: number): { load: number; change: number } {
    const { board, target } = this;
    return { load: board.load(board.nodeOf[replica]!), change: board.squaresChange(replica, target[replica]!) };
  }

  private isPossible(replica: number): boolean {
    const { board, target, limits, bound } = this;
    const to = target[replica]!;
    if (board.loadWith(to, replica, -1) > bound + EPSILON || !board.allows(replica, to)) return false;
    return limits.refusal(this.moveOf(replica)) === undefined;
  }

  private make(replica: number): void {
    this.limits.count(this.moveOf(replica));
    this.board.move(replica, this.target[replica]!);
    this.waiting.delete(replica);
    this.made.push(replica);
  }

  private takeBack(): void {
    const replica = this.made.pop()!;
    this.board.move(replica, this.home[replica]!);
    this.waiting.add(replica);
    this.limits.uncount(this.moveOf(replica));
  }

  private moveOf(replica: number): Move {
    const { nodes, shardOf } = this.board;
    return {
      shard: shardOf[replica]!,
      from: nodes[this.home[replica]!]!.id,
      to: nodes[this.target[replica]!]!.id,
    };
  }

  private blockedReason(replica: number): string {
    const to = this.target[replica]!;
    const { id } = this.board.nodes[to]!;
    if (!this.board.allows(replica, to))
      return `${id} has no room for it before another replica leaves, and no order gives it room`;
    return `with it the load of ${id} would be above the greatest load of the start`;
  }
}
