import type { Budget } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';

/**
 * Why a change exceeds its budget, naming the bound; undefined when it keeps to it. A node without a cost that the change begins to
 * use is refused too: what is not known cannot be within a bound.
 */
export function budgetRefusal(
  budget: Budget | undefined,
  before: ReturnType<Arrangement['cost']>,
  after: ReturnType<Arrangement['cost']>,
): string | undefined {
  if (budget === undefined) return undefined;
  const { cost_per_hour: most, max_increase: increase } = budget;
  const isWorse = after.perHour > before.perHour || after.unknown.some((node) => !before.unknown.includes(node));
  if (!isWorse) return undefined;
  if (after.unknown.length > 0) {
    return `budget: the cost_per_hour of ${after.unknown.slice(0, 10).join(', ')} is not known`;
  }
  if (most !== undefined && after.perHour > most) {
    return `budget.cost_per_hour: the nodes in use would cost ${shown(after.perHour)} an hour, more than ${most}`;
  }
  const rise = after.perHour - before.perHour;
  if (increase !== undefined && rise > increase) {
    return `budget.max_increase: the cost would rise by ${shown(rise)} an hour, more than ${increase}`;
  }
  return undefined;
}

function shown(cost: number): string {
  return String(Number(cost.toFixed(6)));
}
