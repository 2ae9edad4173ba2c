import type { Measure } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import type { Move, MoveLimits } from '../moves/move-limits';
import type { DroppedNodes } from '../placement/rank';
import type { PlacementRules } from '../placement/rules';
import { Board, EPSILON, type BoardOptions } from './board';
import { orderMoves, type LeftOut } from './order-moves';
import { searchTarget } from './search-target';

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
  let reached: readonly number[] = board.nodeOf;
  let blocked: LeftOut[] = [];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const target = boardAt(arrangement, options, reached);
    const home = [...target.nodeOf];
    searchTarget(target, level);
    takeBackNeedless(target, home, level);
    const position = boardAt(arrangement, options, reached);
    const ordered = orderMoves(position, target.nodeOf, UNLIMITED, start);
    reached = position.nodeOf;
    blocked = ordered.leftOut;
    // What cannot be ordered was part of one target: from where the others lead, another target may be within reach.
    if (blocked.length === 0 || ordered.moves.length === 0) break;
  }
  const { moves, leftOut } = orderMoves(board, reached, limits, start);
  return { moves, leftOut: [...leftOut, ...blocked], trail: trailOf(new Board(arrangement, options), moves) };
}

/** Targets that are searched in one run, each from where the moves towards the one before it lead. */
const MOST_ROUNDS = 5;

/** Limits count for the plan, not for the way on which it is found. */
const UNLIMITED = { refusal: () => undefined, count: () => undefined };

/** The replicas on the nodes that are given for each of them. */
function boardAt(arrangement: Arrangement, options: BoardOptions, nodes: readonly number[]): Board {
  const board = new Board(arrangement, options);
  nodes.forEach((node, replica) => {
    if (board.nodeOf[replica] !== node) board.move(replica, node);
  });
  return board;
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
