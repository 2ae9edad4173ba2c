import { RE2JS } from 're2js';
import { canonicalJson } from '../../kernel/canonical-json';
import type { JsonValue } from '../../kernel/json';
import { whyNoPattern } from '../../kernel/pattern-fault';
import type { Operator } from './condition';

/**
 * Whether a value that is there, and is not null, meets a comparison; undefined when it is of a type that the operator
 * cannot compare, which makes the condition unknown.
 */
export type Test = (actual: JsonValue) => boolean | undefined;

/** What an operator takes as its `value`, in the words of a fault. */
export interface OperatorRule {
  /** such as `a number` */
  expects: string;
  /** @returns undefined when the operator does not take such a value */
  prepare(value: JsonValue): Test | undefined;
  /** what is wrong with a value of the right type that the operator does not take */
  why?(value: JsonValue): string | undefined;
}

/**
 * Equality is that of JSON: `1` and `"1"` differ, the order of an object's keys does not count. Order is over numbers alone.
 * Only `eq`, `ne`, `in` and `not_in` compare values of different types: these are unequal.
 */
export const OPERATOR_RULES: Record<Exclude<Operator, 'exists' | 'not_exists'>, OperatorRule> = {
  eq: { expects: 'a value', prepare: equals },
  ne: { expects: 'a value', prepare: (value) => negated(equals(value)) },
  lt: ordered((actual, limit) => actual < limit),
  lte: ordered((actual, limit) => actual <= limit),
  gt: ordered((actual, limit) => actual > limit),
  gte: ordered((actual, limit) => actual >= limit),
  in: { expects: 'a list of values', prepare: oneOf },
  not_in: {
    expects: 'a list of values',
    prepare: (value) => {
      const test = oneOf(value);
      return test && negated(test);
    },
  },
  between: { expects: 'a list of two numbers, the lower one first', prepare: between },
  contains: { expects: 'a value', prepare: contains },
  matches: { expects: 'a regular expression of RE2', prepare: matches, why: whyNotMatches },
  starts_with: onTexts((actual, value) => actual.startsWith(value)),
  ends_with: onTexts((actual, value) => actual.endsWith(value)),
};

function equals(value: JsonValue): Test {
  if (typeof value !== 'object' || value === null) return (actual) => actual === value;
  const expected = canonicalJson(value);
  return (actual) => typeof actual === 'object' && canonicalJson(actual) === expected;
}

function negated(test: Test): Test {
  return (actual) => !test(actual);
}

function oneOf(value: JsonValue): Test | undefined {
  if (!Array.isArray(value)) return undefined;
  const scalars = new Set<JsonValue>(value.filter((item) => typeof item !== 'object' || item === null));
  const others = new Set(value.filter((item) => typeof item === 'object' && item !== null).map(canonicalJson));
  return (actual) => scalars.has(actual) || (typeof actual === 'object' && others.has(canonicalJson(actual)));
}

function ordered(compare: (actual: number, limit: number) => boolean): OperatorRule {
  return {
    expects: 'a number',
    prepare: (value) =>
      typeof value === 'number'
        ? (actual) => (typeof actual === 'number' ? compare(actual, value) : undefined)
        : undefined,
  };
}

function onTexts(compare: (actual: string, value: string) => boolean): OperatorRule {
  return {
    expects: 'a text',
    prepare: (value) =>
      typeof value === 'string'
        ? (actual) => (typeof actual === 'string' ? compare(actual, value) : undefined)
        : undefined,
  };
}

function between(value: JsonValue): Test | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [low, high] = value;
  if (typeof low !== 'number' || typeof high !== 'number' || low > high) return undefined;
  return (actual) => (typeof actual === 'number' ? low <= actual && actual <= high : undefined);
}

/** A part of a text, or an item of a list. */
function contains(value: JsonValue): Test {
  const isItem = equals(value);
  return (actual) => {
    if (Array.isArray(actual)) return actual.some((item) => item === value || isItem(item) === true);
    return typeof actual === 'string' && typeof value === 'string' ? actual.includes(value) : undefined;
  };
}

/** RE2 runs in linear time, so that no pattern and no text can hold up an evaluation. */
function matches(value: JsonValue): Test | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const pattern = RE2JS.compile(value);
    return (actual) => (typeof actual === 'string' ? pattern.matcher(actual).find() : undefined);
  } catch {
    return undefined;
  }
}

function whyNotMatches(value: JsonValue): string | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    RE2JS.compile(value);
    return undefined;
  } catch (error) {
    return whyNoPattern(error);
  }
}
