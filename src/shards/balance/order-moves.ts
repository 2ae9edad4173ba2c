import type { Move, MoveLimits } from '../moves/move-limits';
import { EPSILON, type Board } from './board';

/** A move that is wanted and not proposed, with why. */
export interface LeftOut extends Move {
  reason: string;
}

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
  limits: Pick<MoveLimits, 'refusal' | 'count'>,
  bound: number,
): { moves: Move[]; leftOut: LeftOut[] } {
  const waiting = new Set(target.flatMap((to, replica) => (to === board.nodeOf[replica] ? [] : [replica])));
  const moves: Move[] = [];
  const moveOf = (replica: number): Move => ({
    shard: board.shardOf[replica]!,
    from: board.nodes[board.nodeOf[replica]!]!.id,
    to: board.nodes[target[replica]!]!.id,
  });
  while (waiting.size > 0) {
    let next: number | undefined;
    let [hottest, best] = [-1, Infinity];
    for (const replica of waiting) {
      const load = board.load(board.nodeOf[replica]!);
      if (load < hottest - EPSILON) continue;
      const change = board.squaresChange(replica, target[replica]!);
      if (load <= hottest + EPSILON && change >= best) continue;
      if (board.loadWith(target[replica]!, replica, -1) > bound + EPSILON) continue;
      if (!board.allows(replica, target[replica]!) || limits.refusal(moveOf(replica)) !== undefined) continue;
      [next, hottest, best] = [replica, load, change];
    }
    if (next === undefined) break;
    const move = moveOf(next);
    limits.count(move);
    moves.push(move);
    board.move(next, target[next]!);
    waiting.delete(next);
  }
  const leftOut = [...waiting].map((replica) => {
    const move = moveOf(replica);
    return { ...move, reason: limits.refusal(move) ?? blockedReason(board, replica, target[replica]!) };
  });
  return { moves, leftOut };
}

function blockedReason(board: Board, replica: number, to: number): string {
  const id = board.nodes[to]!.id;
  if (!board.allows(replica, to))
    return `${id} has no room for it before another replica leaves, and no order gives it room`;
  return `with it the load of ${id} would be above the greatest load of the start`;
}
