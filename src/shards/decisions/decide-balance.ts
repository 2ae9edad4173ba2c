import { Measure } from '../actions/parts';
import type { BalanceSettings } from '../actions/schemas';
import { balance } from '../balance/balance';
import type { LeftOut } from '../balance/order-moves';
import { MoveLimits, type Move } from '../moves/move-limits';
import { rankNodes } from '../placement/rank';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { termsOf, termValues } from './terms';

/** The greatest load over the mean, in percent above it, up to which nothing is done. */
const DEFAULT_THRESHOLD = 1;

/** Moves that make the load of ready nodes even, as far as it pays. */
export function decideBalance(settings: BalanceSettings, context: DecisionContext): ActionDecision {
  const { arrangement, dropped, state, nowMs, shard } = context;
  const rules = { ...toPlacementRules(settings), by: measuresBy(settings) };
  const candidates = rankNodes({}, arrangement, rules, dropped);
  const before = termValues(arrangement, rules, []);
  const limits = new MoveLimits(settings, state, nowMs, context.earlierMoves);
  const level = 1 + (settings.threshold ?? DEFAULT_THRESHOLD) / 100;
  const refusals = rulesRefusal(rules);
  const unchanged = (why: string[]) => ({
    candidates,
    steps: [],
    refusals: why,
    terms: termsOf(before, before, rules, 0),
  });
  if (refusals.length > 0) return unchanged(refusals);
  const isUneven = before.evenness! > level;
  const runRefusal = limits.runRefusal();
  if (isUneven && runRefusal !== undefined) return unchanged([runRefusal]);

  const found = balance(arrangement, {
    measures: rules.by,
    rules,
    dropped,
    limits,
    level,
    ...(shard === undefined ? {} : { shard }),
  });
  const moves = found.moves.slice(0, bestLength(found.trail, rules, state.shards.size));
  const [start, end] = [found.trail[0]!, found.trail[moves.length]!];
  const gain = 100 * (start - end);
  const { minImprovement = 0 } = settings;
  if (moves.length > 0 && gain < minImprovement) {
    const sentence = `minImprovement: ${moves.length} moves would bring the greatest load from ${ratio(start)} to ${ratio(end)}`;
    return unchanged([`${sentence} times the mean, less than ${minImprovement} percentage points`]);
  }
  const cost = arrangement.cost();
  for (const move of moves) arrangement.apply(move);
  const overBudget = budgetRefusal(rules.budget, cost, arrangement.cost());
  if (overBudget !== undefined) {
    for (const move of [...moves].reverse()) arrangement.undo(move);
    return unchanged([overBudget]);
  }
  const steps = moves.map((move, index) => ({
    kind: 'move' as const,
    ...move,
    sentence: sentenceOf(move, found.trail[index]!, found.trail[index + 1]!),
  }));
  return {
    candidates,
    steps,
    refusals: leftOutRefusals(found.leftOut),
    terms: termsOf(before, termValues(arrangement, rules, []), rules, moves.length),
  };
}

function measuresBy({ by = Measure.shards }: BalanceSettings): Measure[] {
  return Array.isArray(by) ? by : [by];
}

/**
 * How many of the moves pay: those up to the point at which `evenness` times the greatest load over the mean, plus
 * `leastMovement` times the moves for each shard, is least. Of equal ones the fewest.
 */
function bestLength(trail: readonly number[], { evenness, leastMovement }: PlacementRules, shards: number): number {
  if (leastMovement === 0) return trail.length - 1;
  const cost = (length: number) => evenness * trail[length]! + (leastMovement * length) / shards;
  return trail.reduce((best, _greatest, length) => (cost(length) < cost(best) - 1e-12 ? length : best), 0);
}

function sentenceOf({ shard, from, to }: Move, before: number, after: number): string {
  const change = before === after ? `stays at ${ratio(after)}` : `goes from ${ratio(before)} to ${ratio(after)}`;
  return `move ${shard} from ${from} to ${to}: the greatest load ${change} times the mean`;
}

/** One sentence for each reason, naming the moves. */
export function leftOutRefusals(leftOut: readonly LeftOut[]): string[] {
  const byReason = new Map<string, LeftOut[]>();
  for (const move of leftOut) byReason.set(move.reason, [...(byReason.get(move.reason) ?? []), move]);
  return [...byReason].map(([reason, moves]) => {
    const named = moves.map(({ shard, from, to }) => `${shard} from ${from} to ${to}`);
    return `left out: ${named.join(', ')}: ${reason}`;
  });
}

function ratio(value: number): string {
  return String(Number(value.toFixed(4)));
}
