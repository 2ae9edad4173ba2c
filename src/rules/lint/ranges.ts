import { canonicalJson } from '../../kernel/canonical-json';
import type { JsonValue } from '../../kernel/json';
import { isMetricReference, Operator, type Comparison, type Condition } from '../conditions/condition';

/** What a metric can be where conditions hold: numbers between two limits, one of some values, none of others. */
export interface Range {
  low: number;
  lowInclusive: boolean;
  high: number;
  highInclusive: boolean;
  /** the values that it can be, by their canonical JSON; undefined for any */
  values?: ReadonlyMap<string, JsonValue>;
  /** canonical JSON of the values that it cannot be */
  excluded: ReadonlySet<string>;
  /** undefined where nothing is said of it */
  exists?: boolean;
  /** whether only a number holds */
  isNumber: boolean;
}

const ANYTHING: Range = {
  low: -Infinity,
  lowInclusive: true,
  high: Infinity,
  highInclusive: true,
  excluded: new Set(),
  isNumber: false,
};

/** By metric, what must be so that all of these conditions hold; of nested `any` and `not` nothing is said. */
export function rangesOf(conditions: readonly Condition[]): Map<string, Range> {
  const ranges = new Map<string, Range>();
  for (const condition of conditions) {
    if (!('metric' in condition)) continue;
    const range = rangeOf(condition);
    if (range === undefined) continue;
    ranges.set(condition.metric, intersection(ranges.get(condition.metric) ?? ANYTHING, range));
  }
  return ranges;
}

/** The conditions that must all hold: the parts of `all`, and of each `all` among these. */
export function conjunctsOf(condition: Condition): Condition[] {
  return 'all' in condition ? condition.all.flatMap(conjunctsOf) : [condition];
}

/** What one comparison leaves of its metric; undefined for one whose operator says nothing that a range can hold. */
export function rangeOf({ operator, value }: Comparison): Range | undefined {
  if (operator === Operator.exists) return { ...ANYTHING, exists: true };
  if (operator === Operator.not_exists) return { ...ANYTHING, exists: false };
  if (isMetricReference(value)) return { ...ANYTHING, exists: true };
  // A comparison that is true has found the metric.
  const there = { ...ANYTHING, exists: true };
  const items = (value as JsonValue[] | undefined) ?? [];
  switch (operator) {
    case Operator.eq:
      return { ...there, values: byText([value!]) };
    case Operator.ne:
      return { ...there, excluded: new Set([canonicalJson(value!)]) };
    case Operator.in:
      return { ...there, values: byText(items) };
    case Operator.not_in:
      return { ...there, excluded: new Set(items.map(canonicalJson)) };
    case Operator.lt:
      return { ...there, high: value as number, highInclusive: false, isNumber: true };
    case Operator.lte:
      return { ...there, high: value as number, isNumber: true };
    case Operator.gt:
      return { ...there, low: value as number, lowInclusive: false, isNumber: true };
    case Operator.gte:
      return { ...there, low: value as number, isNumber: true };
    case Operator.between:
      return { ...there, low: items[0] as number, high: items[1] as number, isNumber: true };
    default:
      return there;
  }
}

export function intersection(one: Range, other: Range): Range {
  const lower = one.low > other.low || (one.low === other.low && !one.lowInclusive) ? one : other;
  const upper = one.high < other.high || (one.high === other.high && !one.highInclusive) ? one : other;
  const values =
    one.values === undefined || other.values === undefined
      ? (one.values ?? other.values)
      : new Map([...one.values].filter(([text]) => other.values!.has(text)));
  const isThere = one.exists ?? other.exists;
  return {
    ...{ low: lower.low, lowInclusive: lower.lowInclusive, high: upper.high, highInclusive: upper.highInclusive },
    ...(values === undefined ? {} : { values }),
    excluded: new Set([...one.excluded, ...other.excluded]),
    ...(isThere === undefined ? {} : { exists: isThere }),
    isNumber: one.isNumber || other.isNumber,
    // One that must be and must not be there: no value is left.
    ...(one.exists !== undefined && other.exists !== undefined && one.exists !== other.exists
      ? { values: new Map<string, JsonValue>() }
      : {}),
  };
}

/** Whether no value is in it. */
export function isEmpty(range: Range): boolean {
  const { low, lowInclusive, high, highInclusive, values, excluded, isNumber } = range;
  if (low > high || (low === high && !(lowInclusive && highInclusive))) return true;
  if (values !== undefined) return ![...values.values()].some((value) => holds(range, value));
  return isNumber && low === high && excluded.has(canonicalJson(low));
}

/** Whether a value is in both: as `!isEmpty(intersection(one, other))`, for many pairs. */
export function haveCommon(one: Range, other: Range): boolean {
  if (one.exists !== undefined && other.exists !== undefined && one.exists !== other.exists) return false;
  const low = Math.max(one.low, other.low);
  const high = Math.min(one.high, other.high);
  if (low > high) return false;
  const isOpen = (range: Range) =>
    (range.low === low && !range.lowInclusive) || (range.high === high && !range.highInclusive);
  if (low === high && (isOpen(one) || isOpen(other))) return false;
  const listed = one.values === undefined || (other.values?.size ?? Infinity) < one.values.size ? other : one;
  if (listed.values !== undefined) {
    for (const [text, value] of listed.values) if (holds(one, value, text) && holds(other, value, text)) return true;
    return false;
  }
  if (low < high || !(one.isNumber || other.isNumber)) return true;
  const text = canonicalJson(low);
  return !one.excluded.has(text) && !other.excluded.has(text);
}

/** Whether every value of `inner` is in `outer` too; false where that is not known. */
export function contains(outer: Range, inner: Range): boolean {
  if (outer.exists !== undefined && outer.exists !== inner.exists) return false;
  if (inner.values !== undefined) {
    for (const [text, value] of inner.values) {
      if (holds(inner, value, text) && !holds(outer, value, text)) return false;
    }
    return true;
  }
  if (outer.values !== undefined || (outer.isNumber && !inner.isNumber)) return false;
  if ([...outer.excluded].some((value) => !inner.excluded.has(value))) return false;
  const isLow = inner.low > outer.low || (inner.low === outer.low && (outer.lowInclusive || !inner.lowInclusive));
  const isHigh =
    inner.high < outer.high || (inner.high === outer.high && (outer.highInclusive || !inner.highInclusive));
  return isLow && isHigh;
}

function byText(values: readonly JsonValue[]): Map<string, JsonValue> {
  return new Map(values.map((value) => [canonicalJson(value), value]));
}

/** @param text the value's canonical JSON */
function holds(range: Range, value: JsonValue, text = canonicalJson(value)): boolean {
  const { low, lowInclusive, high, highInclusive, values, excluded, isNumber } = range;
  if (excluded.has(text) || (values !== undefined && !values.has(text))) return false;
  if (typeof value !== 'number') return !isNumber;
  return (value > low || (value === low && lowInclusive)) && (value < high || (value === high && highInclusive));
}
