import { canonicalJson } from '../../kernel/canonical-json';
import type { JsonValue } from '../../kernel/json';
import { atPointer, parsePointer } from '../../kernel/json-pointer';
import { parseGoDuration } from '../kinds/go-duration';
import type { PlanNode } from '../kinds/plan';

type Criterion = NonNullable<PlanNode['acceptanceCriteria']>[number];

/** How a fact's value is compared; order is over numbers alone, and equality that of JSON. */
export type FactOperator = keyof typeof COMPARES;

/** A fact of the gate that says whether a node has done what it was to do. */
export interface FactCriterion {
  name: string;
  /** its id under `input` of the policy */
  fact: string;
  /** JSON Pointer into its value; @default the whole value */
  pointer?: string;
  operator: FactOperator;
  value: JsonValue;
  /** one that does not hold is told, and fails nothing */
  isOptional?: true;
  /** how long it is looked at until it does not hold */
  withinMs: number;
}

/** What was found of a fact at one look. */
export type FactFound = { value: JsonValue } | { fault: string };

const COMPARES = {
  eq: (found: JsonValue, wanted: JsonValue) => canonicalJson(found) === canonicalJson(wanted),
  ne: (found: JsonValue, wanted: JsonValue) => canonicalJson(found) !== canonicalJson(wanted),
  lt: ordered((found, wanted) => found < wanted),
  lte: ordered((found, wanted) => found <= wanted),
  gt: ordered((found, wanted) => found > wanted),
  gte: ordered((found, wanted) => found >= wanted),
} as const;
const EQUALITIES: readonly string[] = ['eq', 'ne'];

const USUAL_MS = 60_000;
/** A day. */
const LONGEST_MS = 86_400_000;

/** @returns sentences of what was expected if a part is invalid */
export function readFactCriterion(criterion: Criterion): FactCriterion | string[] {
  const { name, fact = '', pointer, operator = 'eq', value, timeout, required = true } = criterion;
  const faults: string[] = [];
  if (value === undefined) faults.push('expected a value to compare the fact with');
  else if (!EQUALITIES.includes(operator) && typeof value !== 'number')
    faults.push(`expected value to be a number beside ${operator}`);
  if (pointer !== undefined && parsePointer(pointer) === undefined)
    faults.push(`expected pointer to be a JSON Pointer such as /eu/status, got ${JSON.stringify(pointer)}`);
  const withinMs = timeout === undefined ? USUAL_MS : parseGoDuration(timeout);
  if (withinMs === undefined || withinMs <= 0 || withinMs > LONGEST_MS)
    faults.push(`expected timeout to be more than 0s and at most 24h, got ${timeout}`);
  if (faults.length > 0) return faults;
  return {
    ...{ name, fact, operator, value: value as JsonValue, withinMs: withinMs! },
    ...(pointer === undefined ? {} : { pointer }),
    ...(required ? {} : { isOptional: true as const }),
  };
}

/**
 * Whether a fact is as it is to be, or a clause that says what is not. A value is never repeated: the release may mask it.
 */
export function judgeFact(
  { fact, pointer = '', operator, value }: Pick<FactCriterion, 'fact' | 'pointer' | 'operator' | 'value'>,
  found: FactFound,
): { holds: true; message?: undefined } | { holds: false; message: string } {
  if ('fault' in found) return { holds: false, message: `fact ${fact}: ${found.fault}` };
  const place = `${fact}${pointer}`;
  const at = atPointer(found.value, pointer);
  if (at === undefined) return { holds: false, message: `the fact has no ${place}` };
  if (COMPARES[operator](at, value)) return { holds: true };
  return { holds: false, message: `expected fact ${place} ${operator} ${JSON.stringify(value)}` };
}

function ordered(compare: (found: number, wanted: number) => boolean) {
  return (found: JsonValue, wanted: JsonValue): boolean =>
    typeof found === 'number' && typeof wanted === 'number' && compare(found, wanted);
}
