import type { Measure } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import type { Move, MoveLimits } from '../moves/move-limits';
import type { DroppedNodes } from '../placement/rank';
import type { PlacementRules } from '../placement/rules';
import { Board, EPSILON } from './board';
import { improve } from './improve';
import { orderMoves, type LeftOut } from './order-moves';

export interface BalanceQuestion {
  measures: readonly Measure[];
  rules: PlacementRules;
  dropped: DroppedNodes;
  limits: MoveLimits;
  /** the greatest load over the mean up to which nothing is done, 1.01 for one percent above it */
  level: number;
  /** the one shard that may be moved; @default every shard */
  shard?: string;
}

export interface BalanceResult {
  moves: Move[];
  leftOut: LeftOut[];
  /** the greatest load over the mean after no move, after the first, and so on */
  trail: number[];
}

/** Targets that are searched in one run, each from where the moves towards the one before it lead. */
const MOST_ROUNDS = 8;

/**
 * Moves that make the load of ready nodes even: a target is searched, what changes in sum is ordered, and of that as much is
 * proposed as pays under the dials. The arrangement stays as it is.
 */
export function balance(arrangement: Arrangement, question: BalanceQuestion): BalanceResult {
  const { measures, rules, dropped, limits, level, shard } = question;
  const options = {
    measures,
    rules,
    dropped,
    isMovable: (id: string, node: string) =>
      (shard === undefined || shard === id) && limits.shardRefusal(id, node) === undefined,
  };
  const board = new Board(arrangement, options);
  const start = board.greatestLoad();
  if (board.ready.length < 2 || start <= level + EPSILON || limits.runRefusal() !== undefined) {
    return { moves: [], leftOut: [], trail: [start] };
  }
  const home = [...board.nodeOf];
  let blocked: LeftOut[] = [];
  // From where the moves of one round lead another target may be within reach: the last round finds none, as a second run will.
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = improve(board, level);
    blocked = found.leftOut;
    if (!found.isBetter || found.isBest) break;
  }
  const reached = [...board.nodeOf];
  board.arrange(home);
  const { moves, leftOut } = orderMoves(board, reached, limits, start);
  board.arrange(home);
  return { moves, leftOut: [...leftOut, ...blocked], trail: trailOf(board, moves) };
}

function trailOf(board: Board, moves: readonly Move[]): number[] {
  const index = new Map(board.nodes.map(({ id }, at) => [id, at]));
  const trail = [board.greatestLoad()];
  for (const { shard, from, to } of moves) {
    const replica = board.on[index.get(from)!]!.find((one) => board.shardOf[one] === shard)!;
    board.move(replica, index.get(to)!);
    trail.push(board.greatestLoad());
  }
  return trail;
}
