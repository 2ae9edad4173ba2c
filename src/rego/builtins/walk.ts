import type { Builtins } from './builtin';
import { BUDGET, type BuiltinBudget } from './plan-builtin';
import { isObject, isSet, type RegoValue } from '../values/value';

/** All of them at once, where OPA walks as it goes on; the plan iterates over the answer. */
export const walkBuiltins: Builtins = {
  walk: ([value], { budget }) => {
    const pairs: RegoValue[] = [];
    visit([], value!, pairs, budget);
    return pairs;
  },
};

/** A value before what is in it, the items of arrays, objects and sets in their order. */
function visit(path: RegoValue[], value: RegoValue, pairs: RegoValue[], budget: BuiltinBudget): void {
  // a path is as long as it is deep: what is deep costs the square of it
  budget.elements(path.length + 1);
  if (pairs.length >= BUDGET.elements) budget.elements(pairs.length + 1);
  pairs.push([path, value]);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit([...path, index], item, pairs, budget);
  } else if (isObject(value)) {
    for (const key of value.keys) visit([...path, key], value.get(key)!, pairs, budget);
  } else if (isSet(value)) {
    for (const item of value.items) visit([...path, item], item, pairs, budget);
  }
}
