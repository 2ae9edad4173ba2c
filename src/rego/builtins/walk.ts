import type { Builtins } from './builtin';
import { BUDGET, type BuiltinBudget } from './plan-builtin';
import { isObject, isSet, type RegoValue } from '../values/value';

/** All of them at once, where OPA walks step by step; the plan iterates over the answer. */
export const walkBuiltins: Builtins = {
  walk: ([value], { budget }) => walk(value!, budget),
};

/**
 * Each value before what is in it, the items of arrays, objects and sets in their order. Without recursion, so that what
 * is too deep ends at the budget, the same each time, and not where the stack happens to.
 */
function walk(root: RegoValue, budget: BuiltinBudget): RegoValue[] {
  const pairs: RegoValue[] = [];
  const stack: [path: RegoValue[], value: RegoValue][] = [[[], root]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [path, value] = next;
    // a path is as long as it is deep: what is deep costs the square of it
    budget.spend(path.length + 1);
    if (pairs.length >= BUDGET.elements) budget.elements(pairs.length + 1);
    pairs.push(next);
    const items = childrenOf(value);
    for (let index = items.length - 1; index >= 0; index--) {
      const [key, item] = items[index]!;
      stack.push([[...path, key], item]);
    }
  }
  return pairs;
}

function childrenOf(value: RegoValue): readonly (readonly [RegoValue, RegoValue])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (isObject(value)) return value.entries;
  return isSet(value) ? value.items.map((item) => [item, item] as const) : [];
}
