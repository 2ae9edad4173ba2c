import { EPSILON, type Board } from './board';
import { orderMoves, type LeftOut } from './order-moves';
import { searchTarget } from './search-target';

/** What one round of balancing came to. */
export interface Improvement {
  /** whether the loads are more even than before it */
  isBetter: boolean;
  /** whether no arrangement is better, or none needs to be */
  isBest: boolean;
  /** moves of its target that no order was found for */
  leftOut: LeftOut[];
}

/** Replicas times searches of a round: a small board is searched more often, a large one once. */
const MOST_SEARCHED_REPLICAS = 440;

/** Limits count for the plan, not for the way on which it is found. */
const UNLIMITED = { refusal: () => undefined, count: () => undefined, uncount: () => undefined };

/**
 * Brings a board into the most even of the arrangements to which it finds targets and orders of moves. Where the search ends above
 * what is possible, it is begun again behind each move of a replica of the hottest nodes, whatever that one does to the load.
 */
export function improve(board: Board, level: number): Improvement {
  const home = [...board.nodeOf];
  const start = board.sortedLoads();
  const goal = Math.max(level, leastPossible(board)) + EPSILON;
  let [reached, loads]: [readonly number[], readonly number[]] = [home, start];
  let leftOut: LeftOut[] | undefined;
  for (const move of firstMoves(board)) {
    if (move !== undefined) board.move(move.replica, move.to);
    searchTarget(board, level);
    takeBackNeedless(board, home, level);
    const target = [...board.nodeOf];
    board.arrange(home);
    const ordered = orderMoves(board, target, UNLIMITED, start[0]!);
    const found = board.sortedLoads();
    leftOut ??= ordered.leftOut;
    if (isMoreEven(found, loads)) [reached, loads, leftOut] = [[...board.nodeOf], found, ordered.leftOut];
    board.arrange(home);
    if (loads[0]! <= goal) break;
  }
  board.arrange(reached);
  return { isBetter: reached !== home, isBest: loads[0]! <= goal && leftOut!.length === 0, leftOut: leftOut! };
}

/** No move, and then the moves behind which the search is begun again. */
function* firstMoves(board: Board): Generator<{ replica: number; to: number } | undefined> {
  yield undefined;
  let left = Math.floor(MOST_SEARCHED_REPLICAS / board.nodeOf.length);
  const nodes = [...board.ready].sort((one, other) => board.load(other) - board.load(one));
  // The board is as it was whenever the next one is asked for.
  for (const node of nodes) {
    for (const replica of [...board.on[node]!]) {
      if (!board.isMovable[replica]) continue;
      for (const to of [...nodes].reverse()) {
        if (to === node || !board.allows(replica, to)) continue;
        if (left <= 0) return;
        left -= 1;
        yield { replica, to };
      }
    }
  }
}

/** A load that no arrangement is below: that of the greatest replica that can be moved, and of what has to stay on a node. */
function leastPossible(board: Board): number {
  let least = 0;
  for (const node of board.ready) {
    least = Math.max(least, board.stayingLoad(node));
    for (const replica of board.on[node]!) if (board.isMovable[replica]) least = Math.max(least, board.weight(replica));
  }
  return least;
}

/** Whether sorted loads come before others in the order of dictionaries. */
function isMoreEven(one: readonly number[], other: readonly number[]): boolean {
  const at = one.findIndex((load, index) => Math.abs(load - other[index]!) > EPSILON);
  return at >= 0 && one[at]! < other[at]!;
}

/** Puts replicas back where they were as long as their node stays below the level by it; the search goes on after that. */
function takeBackNeedless(board: Board, home: readonly number[], level: number): void {
  for (let round = 0; round < 3; round += 1) {
    const moved = home.flatMap((node, replica) => (node === board.nodeOf[replica] ? [] : [replica]));
    moved.sort((one, other) => board.weight(one) - board.weight(other) || one - other);
    let isAny = false;
    for (const replica of moved) {
      const node = home[replica]!;
      if (board.loadWith(node, replica, -1) > level || !board.allows(replica, node)) continue;
      board.move(replica, node);
      isAny = true;
    }
    if (!isAny) return;
    searchTarget(board, level);
  }
}
