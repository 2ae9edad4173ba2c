/**
 * Rego's values as a host built-in sees them. JSON is too narrow for them: numbers have any number of digits, objects
 * have keys of any type, and a set is not an array (`sprintf("%v", [{1}])` prints `{1}`).
 */
export type RegoValue = null | boolean | string | RegoNumber | RegoValue[] | RegoSet | RegoObject;

/** A number as it was written; OPA keeps `1e2`, `1.0` and `100000000000000000001` as they are, and so do we. */
export class RegoNumber {
  constructor(readonly text: string) {}

  static of(value: number | bigint): RegoNumber {
    return new RegoNumber(typeof value === 'bigint' ? value.toString() : formatFloat(value));
  }

  /** the nearest double */
  toDouble(): number {
    return Number(this.text);
  }

  /** the value when it is written as an integer (`2`, not `2.0`) */
  toBigInt(): bigint | undefined {
    return /^-?\d+$/.test(this.text) ? BigInt(this.text) : undefined;
  }

  /** the value as an integer within JavaScript's exact range, when it is written as one */
  toSafeInteger(): number | undefined {
    const value = Number(this.text);
    return this.toBigInt() !== undefined && Number.isSafeInteger(value) ? value : undefined;
  }
}

/** Items without duplicates, in Rego's order. */
export class RegoSet {
  readonly items: readonly RegoValue[];
  constructor(items: readonly RegoValue[]) {
    const sorted = [...items].sort(compareValues);
    this.items = sorted.filter((item, index) => index === 0 || compareValues(item, sorted[index - 1]!) !== 0);
  }

  has(value: RegoValue): boolean {
    return this.items.some((item) => compareValues(item, value) === 0);
  }
}

/** Keys of any type, each once (the last one wins), in Rego's order. */
export class RegoObject {
  readonly entries: readonly (readonly [RegoValue, RegoValue])[];
  private readonly byText = new Map<string, RegoValue>();

  constructor(entries: Iterable<readonly [RegoValue, RegoValue]>) {
    const others: [RegoValue, RegoValue][] = [];
    const texts = new Map<string, RegoValue>();
    for (const [key, value] of entries) {
      if (typeof key === 'string') texts.set(key, value);
      else {
        const same = others.find(([other]) => compareValues(other, key) === 0);
        if (same) same[1] = value;
        else others.push([key, value]);
      }
    }
    this.byText = texts;
    this.entries = [...others, ...texts].sort(([a], [b]) => compareValues(a, b));
  }

  static from(record: Record<string, RegoValue>): RegoObject {
    return new RegoObject(Object.entries(record));
  }

  get(key: RegoValue): RegoValue | undefined {
    if (typeof key === 'string') return this.byText.get(key);
    return this.entries.find(([other]) => compareValues(other, key) === 0)?.[1];
  }
}

/** Go's shortest text of a double, as encoding/json writes it. */
function formatFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`);
  }
  return value.toString();
}

const RANKS = ['null', 'boolean', 'number', 'string', 'array', 'object', 'set'] as const;
export type RegoTypeName = (typeof RANKS)[number];

/** The type's name as `type_name` and OPA's operand errors say it. */
export function typeName(value: RegoValue): RegoTypeName {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'string';
  if (value instanceof RegoNumber) return 'number';
  if (Array.isArray(value)) return 'array';
  return value instanceof RegoSet ? 'set' : 'object';
}

/** Rego's total order: null, booleans, numbers, strings (by code point), arrays, objects, sets. */
export function compareValues(a: RegoValue, b: RegoValue): number {
  const type = typeName(a);
  const byType = RANKS.indexOf(type) - RANKS.indexOf(typeName(b));
  if (byType !== 0) return byType;
  switch (type) {
    case 'null':
      return 0;
    case 'boolean':
      return Number(a) - Number(b);
    case 'number':
      return compareNumbers(a as RegoNumber, b as RegoNumber);
    case 'string':
      return compareStrings(a as string, b as string);
    case 'array':
      return compareLists(a as RegoValue[], b as RegoValue[]);
    case 'set':
      return compareLists((a as RegoSet).items, (b as RegoSet).items);
    case 'object': {
      const [left, right] = [(a as RegoObject).entries, (b as RegoObject).entries];
      const length = Math.min(left.length, right.length);
      for (let i = 0; i < length; i++) {
        const byKey = compareValues(left[i]![0], right[i]![0]);
        if (byKey !== 0) return byKey;
        const byValue = compareValues(left[i]![1], right[i]![1]);
        if (byValue !== 0) return byValue;
      }
      return left.length - right.length;
    }
  }
}

function compareLists(a: readonly RegoValue[], b: readonly RegoValue[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  if (a.text === b.text) return 0;
  const [left, right] = [a.toBigInt(), b.toBigInt()];
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  return a.toDouble() - b.toDouble();
}

/** By Unicode code point, as Go compares UTF-8; JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const [left, right] = [[...a], [...b]];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const order = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}
