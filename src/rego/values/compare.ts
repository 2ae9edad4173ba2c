import { compareNumbers, ExactNumber, isNumber, type RegoNumber } from './number';
import type { RegoObject } from './rego-object';
import type { RegoSet } from './rego-set';
import { isObject, isSet, typeRank, type RegoValue } from './value';

/**
 * Rego's total order (`ast.Compare`): null, booleans, numbers, strings, arrays, objects, sets.
 *
 * @returns negative, zero or positive
 */
export function compareValues(a: RegoValue, b: RegoValue): number {
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a < b ? -1 : 1;
  const rank = typeRank(a);
  const byType = rank - typeRank(b);
  if (byType !== 0) return byType;
  switch (rank) {
    case 0:
      return 0;
    case 1:
      return a === true ? 1 : -1;
    case 2:
      return compareNumbers(a as RegoNumber, b as RegoNumber);
    case 4:
      return compareLists(a as RegoValue[], b as RegoValue[]);
    case 5:
      return compareObjects(a as RegoObject, b as RegoObject);
    default:
      return compareLists((a as RegoSet).items, (b as RegoSet).items);
  }
}

/** By Unicode code point, as Go compares UTF-8; JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // half of a surrogate pair stands for a code point above all that one unit can hold
    if (isSurrogate(x) !== isSurrogate(y)) return isSurrogate(x) ? 1 : -1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xe000;

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Key by key in their order, each with its value. */
function compareObjects(a: RegoObject, b: RegoObject): number {
  const [left, right] = [a.keys, b.keys];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const byKey = compareValues(left[i]!, right[i]!);
    if (byKey !== 0) return byKey;
    const byValue = compareValues(a.get(left[i]!)!, b.get(right[i]!)!);
    if (byValue !== 0) return byValue;
  }
  return left.length - right.length;
}

/** Whether `compareValues` is 0, without sorting anything. */
export function equalValues(a: RegoValue, b: RegoValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || a === null) {
    return typeof a === 'number' && b instanceof ExactNumber && compareNumbers(a, b) === 0;
  }
  if (a instanceof ExactNumber) return isNumber(b) && compareNumbers(a, b) === 0;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalValues(item, b[index]!));
  }
  if (isObject(a)) return isObject(b) && a.equals(b);
  return isSet(b) && a.equals(b);
}
