import type { Builtins } from './builtin';
import { arrayAt, exactInteger, itemsOf, listAt, wrongItem, wrongType } from './operands';
import { compareValues, equalValues } from '../values/compare';
import { addFloats, multiplyFloats, roundFloat, toFloat, type BigFloat } from '../values/big-float';
import { fromFloat } from '../values/big-float-text';
import { fromBigInt, isNumber, numberText, type RegoNumber } from '../values/number';
import { isObject, isSet, type RegoValue } from '../values/value';
import { lookUp } from './lookup';
import type { BuiltinBudget } from './plan-builtin';

export const aggregateBuiltins: Builtins = {
  count: (operands) => {
    const [value] = operands;
    if (typeof value === 'string') return countCodePoints(value);
    if (Array.isArray(value)) return value.length;
    if (isObject(value) || isSet(value)) return value.size;
    throw wrongType(operands, 0, 'array', 'object', 'set', 'string');
  },
  sum: (operands) => sum(operands[0]!, listAt(operands, 0)),
  product: (operands, { budget }) => product(operands[0]!, listAt(operands, 0), budget),
  max: (operands) => {
    const items = listAt(operands, 0);
    if (items.length === 0) return undefined;
    if (isSet(operands[0])) return items.at(-1);
    // of equal ones that are written differently, the last
    return items.reduce<RegoValue>((max, item) => (compareValues(max, item) <= 0 ? item : max), null);
  },
  min: (operands) => {
    const items = listAt(operands, 0);
    if (items.length === 0) return undefined;
    if (isSet(operands[0])) return items[0];
    return items.reduce((min, item) => (compareValues(min, item) >= 0 ? item : min));
  },
  sort: (operands, { budget }) => {
    const items = listAt(operands, 0);
    budget.elements(items.length);
    return isSet(operands[0]) ? [...items] : [...arrayAt(operands, 0)].sort(compareValues);
  },
  all: (operands) => {
    if (itemsOf(operands[0]!) === undefined) throw wrongType(operands, 0, 'array', 'set');
    return itemsOf(operands[0]!)!.every((item) => item === true);
  },
  any: (operands) => {
    if (itemsOf(operands[0]!) === undefined) throw wrongType(operands, 0, 'array', 'set');
    return itemsOf(operands[0]!)!.some((item) => item === true);
  },
  'internal.member_2': ([value, collection]) => {
    if (isSet(collection)) return collection.has(value!);
    if (Array.isArray(collection)) return collection.some((item) => equalValues(item, value!));
    if (!isObject(collection)) return false;
    for (const item of collection.values()) if (equalValues(item, value!)) return true;
    return false;
  },
  'internal.member_3': ([key, value, collection]) => {
    if (isSet(collection)) return collection.has(key!) && equalValues(key!, value!);
    const found = lookUp(collection!, key!);
    return found !== undefined && equalValues(found, value!);
  },
};

function countCodePoints(text: string): number {
  let pairs = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) pairs++;
  }
  return text.length - pairs;
}

/** Exact as long as all are integers; with a fraction among them, all are floats. */
function sum(list: RegoValue, items: readonly RegoValue[]): RegoNumber {
  let total = 0;
  const isQuick = items.every((item) => {
    total += item as number;
    return Number.isSafeInteger(item) && Number.isSafeInteger(total);
  });
  if (isQuick) return total;
  const integers = integersOf(items);
  if (integers) return fromBigInt(integers.reduce((a, b) => a + b, 0n));
  const start: BigFloat = { negative: false, mantissa: 0n, exponent: 0 };
  return fromFloat(floatsOf(list, items).reduce(addFloats, start));
}

/** A double has this many bits: OPA starts its product from `big.NewFloat(1)`, which keeps them. */
const PRODUCT_BITS = 53;

function product(list: RegoValue, items: readonly RegoValue[], budget: BuiltinBudget): RegoNumber {
  const integers = integersOf(items);
  if (integers) {
    budget.characters(items.reduce<number>((digits, item) => digits + numberText(item as RegoNumber).length, 0));
    return fromBigInt(multiplyAll(integers));
  }
  const multiply = (a: BigFloat, b: BigFloat) => multiplyFloats(a, b, PRODUCT_BITS);
  return fromFloat(floatsOf(list, items).reduce(multiply, roundFloat(false, 1n, 0, PRODUCT_BITS)));
}

/** By halves: factors of like length multiply in less than quadratic time. */
function multiplyAll(factors: readonly bigint[]): bigint {
  if (factors.length <= 2) return (factors[0] ?? 1n) * (factors[1] ?? 1n);
  const middle = factors.length >> 1;
  return multiplyAll(factors.slice(0, middle)) * multiplyAll(factors.slice(middle));
}

function integersOf(items: readonly RegoValue[]): bigint[] | undefined {
  const integers: bigint[] = [];
  for (const item of items) {
    const integer = isNumber(item) ? exactInteger(item) : undefined;
    if (integer === undefined) return undefined;
    integers.push(integer);
  }
  return integers;
}

function floatsOf(list: RegoValue, items: readonly RegoValue[]): BigFloat[] {
  return items.map((item) => {
    if (!isNumber(item)) throw wrongItem(0, list, item, 'number');
    return toFloat(item);
  });
}
