import { EPSILON, type Board } from './board';

/** Replicas that change their node in one step, in an order in which they can. */
type Step = readonly { replica: number; to: number }[];

/** Steps after which a search ends, for each replica: none of thousands of random states came near it. */
const MOST_STEPS_PER_REPLICA = 20;

/** Nodes that are tried as the third one of a step. */
const THIRD_NODES = 8;

/**
 * Moves replicas until no node above `level` can be relieved: by a move, an exchange, or a move with another replica out of the
 * way. A step is taken only when the greatest load among the two or three nodes that it touches falls. So the loads of all nodes,
 * sorted from the greatest, fall in the order of dictionaries with every step, and no arrangement comes twice.
 *
 * @param level the load up to which a node is left alone
 * @param onStep called after each step
 */
export function searchTarget(board: Board, level: number, onStep?: () => void): void {
  const stuck = new Set<number>();
  let stepsLeft = MOST_STEPS_PER_REPLICA * board.nodeOf.length;
  let isNew = false;
  while (stepsLeft > 0) {
    const hot = hottest(board, level, stuck);
    if (hot === undefined) {
      if (!isNew) return;
      // What could not be relieved may be now that others have changed.
      stuck.clear();
      isNew = false;
      continue;
    }
    const step = bestMove(board, hot) ?? bestExchange(board, hot) ?? moveWithRoomMade(board, hot);
    if (step === undefined) {
      stuck.add(hot);
      continue;
    }
    for (const { replica, to } of step) board.move(replica, to);
    stepsLeft -= 1;
    isNew = stuck.size > 0;
    onStep?.();
  }
}

function hottest(board: Board, level: number, stuck: ReadonlySet<number>): number | undefined {
  let found: number | undefined;
  let most = level + EPSILON;
  for (const node of board.ready) {
    if (stuck.has(node)) continue;
    const load = board.load(node);
    if (load > most) [found, most] = [node, load];
  }
  return found;
}

/** The move after which both nodes are nearest to their share; of equal ones that of the smaller replica. */
function bestMove(board: Board, hot: number): Step | undefined {
  const before = board.load(hot);
  const others = board.ready.filter((node) => node !== hot).map((node) => ({ node, load: board.load(node) }));
  let best: { replica: number; to: number } | undefined;
  let least = before - EPSILON;
  let smallest = Infinity;
  for (const replica of board.on[hot]!) {
    if (!board.isMovable[replica]) continue;
    const left = board.loadWith(hot, -1, replica);
    if (left > least || left >= before - EPSILON) continue;
    const weight = board.weight(replica);
    for (const { node: to, load } of others) {
      if (load > least) continue;
      const after = Math.max(left, board.loadWith(to, replica, -1));
      if (after > least || (after === least && weight >= smallest)) continue;
      if (after >= before - EPSILON || !board.allows(replica, to)) continue;
      [best, least, smallest] = [{ replica, to }, after, weight];
    }
  }
  return best && [best];
}

/** The exchange with a replica of another node after which the greater of both loads is least. */
function bestExchange(board: Board, hot: number): Step | undefined {
  const before = board.load(hot);
  let best: Step | undefined;
  let least = before - EPSILON;
  for (const to of board.ready) {
    if (to === hot || board.load(to) >= before) continue;
    for (const replica of board.on[hot]!) {
      if (!board.isMovable[replica]) continue;
      for (const back of board.on[to]!) {
        if (!board.isMovable[back]) continue;
        const after = Math.max(board.loadWith(hot, back, replica), board.loadWith(to, replica, back));
        if (after >= least || !board.allows(replica, to, back) || !board.allows(back, hot, replica)) continue;
        best = [
          { replica, to },
          { replica: back, to: hot },
        ];
        least = after;
      }
    }
  }
  return best;
}

/** A move to a node from which another replica goes to a third one. */
function moveWithRoomMade(board: Board, hot: number): Step | undefined {
  const before = board.load(hot);
  const bound = before - EPSILON;
  const byLoad = board.ready.filter((node) => node !== hot).sort((one, other) => board.load(one) - board.load(other));
  let best: Step | undefined;
  let least = bound;
  for (const to of byLoad) {
    for (const other of board.on[to]!) {
      if (!board.isMovable[other]) continue;
      const thirds = byLoad.filter((node) => node !== to && board.loadWith(node, other, -1) < least);
      const third = thirds.slice(0, THIRD_NODES).find((node) => board.allows(other, node));
      if (third === undefined) continue;
      for (const replica of board.on[hot]!) {
        if (!board.isMovable[replica]) continue;
        const after = Math.max(
          board.loadWith(hot, -1, replica),
          board.loadWith(to, replica, other),
          board.loadWith(third, other, -1),
        );
        if (after >= least || !board.allows(replica, to, other)) continue;
        best = [
          { replica: other, to: third },
          { replica, to },
        ];
        least = after;
      }
    }
  }
  return best;
}
