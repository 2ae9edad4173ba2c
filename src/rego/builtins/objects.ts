import { BuiltinError, type Builtins } from './builtin';
import { lookUp } from './lookup';
import { arrayAt, objectAt, wrongItem, wrongType } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import { equalValues } from '../values/compare';
import { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import { isObject, isSet, type RegoValue } from '../values/value';

export const objectBuiltins: Builtins = {
  'object.get': (operands) => {
    const [, path, fallback] = operands;
    const object = objectAt(operands, 0);
    if (!Array.isArray(path)) return object.get(path!) ?? presentOr(object, path!, fallback!);
    let found: RegoValue | undefined = object;
    for (const key of path) {
      found = lookUp(found, key);
      if (found === undefined) return fallback;
    }
    return found;
  },
  'object.keys': (operands, { budget }) => {
    const object = objectAt(operands, 0);
    budget.elements(object.size);
    return new RegoSet(object.keys);
  },
  'object.remove': (operands, { budget }) => {
    const [object, keys] = [objectAt(operands, 0), keysAt(operands, 1)];
    budget.elements(object.size);
    return new RegoObject(object.entries.filter(([key]) => !keys.has(key)));
  },
  'object.filter': (operands, { budget }) => {
    const [object, keys] = [objectAt(operands, 0), keysAt(operands, 1)];
    budget.elements(object.size);
    return new RegoObject(object.entries.filter(([key]) => keys.has(key)));
  },
  'object.union': (operands, { budget }) => merge(objectAt(operands, 0), objectAt(operands, 1), budget),
  'object.union_n': (operands, { budget }) => {
    const objects = arrayAt(operands, 0);
    for (const item of objects) if (!isObject(item)) throw wrongItem(0, objects, item, 'object');
    return mergeAll(objects as RegoObject[], budget);
  },
  'object.subset': ([whole, part]) => {
    if (isObject(whole) && isObject(part)) return isSubset(whole, part);
    if (isSet(whole) && isSet(part)) return isSubset(whole, part);
    if (Array.isArray(whole) && Array.isArray(part)) return isSubset(whole, part);
    // as OPA counts: an item that comes twice counts twice, and an empty set is not found in an empty array
    if (Array.isArray(whole) && isSet(part)) {
      return whole.length > 0 && whole.filter((item) => part.has(item)).length >= part.size;
    }
    throw new BuiltinError('both arguments object.subset must be of the same type or array and set');
  },
};

/** null is a value like any other, which `??` does not see. */
function presentOr(object: RegoObject, key: RegoValue, fallback: RegoValue): RegoValue {
  return object.has(key) ? null : fallback;
}

/** The keys that an array, a set or an object names. */
function keysAt(operands: readonly RegoValue[], index: number): RegoSet {
  const value = operands[index]!;
  if (isSet(value)) return value;
  if (Array.isArray(value)) return new RegoSet(value);
  if (isObject(value)) return new RegoSet(value.keys);
  throw wrongType(operands, index, 'object', 'set', 'array');
}

/** The right one's values, where not both are objects, which are merged. */
function merge(left: RegoObject, right: RegoObject, budget: BuiltinBudget): RegoObject {
  budget.spend(left.size + right.size);
  const merged = left.copy();
  for (const [key, value] of right.entries) {
    const before = merged.get(key);
    merged.set(key, isObject(before) && isObject(value) ? merge(before, value, budget) : value);
  }
  budget.elements(merged.size);
  return merged;
}

/** By halves, so that each value is copied a few times only. */
function mergeAll(objects: readonly RegoObject[], budget: BuiltinBudget): RegoObject {
  if (objects.length <= 1) return objects[0] ?? new RegoObject();
  const middle = objects.length >> 1;
  return merge(mergeAll(objects.slice(0, middle), budget), mergeAll(objects.slice(middle), budget), budget);
}

/** Objects key by key and downwards, sets by their items, arrays as a stretch of the longer one. */
function isSubset(whole: RegoValue, part: RegoValue): boolean {
  if (equalValues(whole, part)) return true;
  if (isObject(whole) && isObject(part)) {
    return part.keys.every((key) => {
      const other = whole.get(key);
      return other !== undefined && isSubset(other, part.get(key)!);
    });
  }
  if (isSet(whole) && isSet(part)) return part.items.every((item) => whole.has(item));
  return Array.isArray(whole) && Array.isArray(part) && isStretch(whole, part);
}

/** Whether `whole` holds `part` as it is. */
function isStretch(whole: RegoValue[], part: RegoValue[]): boolean {
  if (part.length > whole.length) return false;
  let [start, matched] = [0, 0];
  while (matched < part.length) {
    if (start + matched === whole.length) return false;
    if (equalValues(whole[start + matched]!, part[matched]!)) matched++;
    else [start, matched] = [start + 1, 0];
  }
  return true;
}
