import type { BuiltinBudget } from '../builtins/plan-builtin';
import { isObject, isSet, type RegoValue } from '../values/value';

/**
 * Spends a step for everything that a value holds, however deep, and for every 8 characters: what writing it out takes. A
 * value that holds another one many times over is small in memory and large as text.
 *
 * @throws BudgetExceededError
 */
export function measure(value: RegoValue, budget: BuiltinBudget): void {
  if (typeof value === 'string') return budget.spend(1 + (value.length >>> 3));
  budget.spend(1);
  if (Array.isArray(value)) {
    for (const item of value) measure(item, budget);
  } else if (isSet(value)) {
    for (const item of value.values()) measure(item, budget);
  } else if (isObject(value)) {
    for (const key of value.keys) {
      measure(key, budget);
      measure(value.get(key)!, budget);
    }
  }
}
