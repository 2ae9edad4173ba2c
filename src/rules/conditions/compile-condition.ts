import { childOf } from '../../kernel/json-pointer';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { isMetricReference, Operator, type Comparison, type Condition, type FunctionCall } from './condition';
import type { ConditionFunctions } from './functions';
import { parseMetricPath } from './metric-path';
import { OPERATOR_RULES, type Test } from './operators';
import { not, truthOf, type Truth } from './truth';

/** What conditions are evaluated over: an object for each prefix, such as `node` and `cluster`, and the time. */
export interface ConditionScope {
  metrics: JsonObject;
  /** epoch milliseconds of the evaluation */
  nowMs: number;
}

/** A condition ready to be evaluated many times. */
export type CompiledCondition = (scope: ConditionScope) => Truth;

/** Why a comparison or call is unknown: a metric that is missing or null, or a value of a type that cannot be compared. */
export type UnknownReason = 'missing' | 'type';

/** A comparison's or call's answer with all that an explanation shows. */
export interface Judged {
  truth: Truth;
  /** what the metric held; undefined when it is missing */
  actual?: JsonValue;
  /** what it was compared with, a referenced metric looked up; undefined when it is missing or there is none */
  expected?: JsonValue;
  reason?: UnknownReason;
  /** names of the metrics that are missing or null */
  missing: string[];
}

/** A comparison or a call; explanations and evaluations ask the same one. */
export type Judge = (scope: ConditionScope) => Judged;

/**
 * The condition as nested functions. `all` stops at the first false, `any` at the first true.
 *
 * @param condition without faults; see `conditionFaults`
 */
export function compileCondition(condition: Condition, functions: ConditionFunctions): CompiledCondition {
  if ('all' in condition) {
    const parts = condition.all.map((part) => compileCondition(part, functions));
    return (scope) => {
      let truth: Truth = 'true';
      for (const part of parts) {
        const found = part(scope);
        if (found === 'false') return 'false';
        if (found === 'unknown') truth = 'unknown';
      }
      return truth;
    };
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => compileCondition(part, functions));
    return (scope) => {
      let truth: Truth = 'false';
      for (const part of parts) {
        const found = part(scope);
        if (found === 'true') return 'true';
        if (found === 'unknown') truth = 'unknown';
      }
      return truth;
    };
  }
  if ('not' in condition) {
    const part = compileCondition(condition.not, functions);
    return (scope) => not(part(scope));
  }
  if ('function' in condition) return truthOnly(judgeOfCall(condition, functions));
  return truthOfComparison(condition);
}

export function judgeOf(condition: Comparison | FunctionCall, functions: ConditionFunctions): Judge {
  return 'function' in condition ? judgeOfCall(condition, functions) : judgeOfComparison(condition);
}

/** The value of a metric; undefined when it is missing. A null is there, and counts as missing to every comparison. */
export function lookUp(metrics: JsonObject, keys: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = metrics;
  for (const key of keys) {
    value = childOf(value, key);
    if (value === undefined) return undefined;
  }
  return value;
}

function truthOnly(judge: Judge): CompiledCondition {
  return (scope) => judge(scope).truth;
}

/** As `judgeOfComparison` answers, without the objects that only an explanation needs. */
function truthOfComparison(condition: Comparison): CompiledCondition {
  const { metric, operator, value } = condition;
  const isExistence = operator === Operator.exists || operator === Operator.not_exists;
  if (isExistence || isMetricReference(value)) return truthOnly(judgeOfComparison(condition));
  const keys = keysOf(metric);
  const test = prepared(operator, value as JsonValue);
  return ({ metrics }) => {
    const actual = lookUp(metrics, keys);
    if (actual === undefined || actual === null) return 'unknown';
    return toTruth(test(actual));
  };
}

function judgeOfComparison({ metric, operator, value }: Comparison): Judge {
  const keys = keysOf(metric);
  if (operator === Operator.exists || operator === Operator.not_exists) {
    return ({ metrics }) => {
      const actual = lookUp(metrics, keys);
      const isThere = actual !== undefined && actual !== null;
      return { truth: truthOf(isThere === (operator === Operator.exists)), actual, missing: [] };
    };
  }
  if (isMetricReference(value)) return judgeOfReference(metric, keys, operator, value.metric);
  const expected = value as JsonValue;
  const test = prepared(operator, expected);
  return ({ metrics }) => {
    const actual = lookUp(metrics, keys);
    if (actual === undefined || actual === null) {
      return { truth: 'unknown', reason: 'missing', actual, expected, missing: [metric] };
    }
    return { ...answered(test(actual)), actual, expected };
  };
}

/** The value to compare with is known only when it is asked for; so is whether the operator takes it. */
function judgeOfReference(
  metric: string,
  keys: string[],
  operator: keyof typeof OPERATOR_RULES,
  reference: string,
): Judge {
  const referenceKeys = keysOf(reference);
  return ({ metrics }) => {
    const [actual, expected] = [lookUp(metrics, keys), lookUp(metrics, referenceKeys)];
    const missing = [
      ...(actual === undefined || actual === null ? [metric] : []),
      ...(expected === undefined || expected === null ? [reference] : []),
    ];
    if (missing.length > 0) return { truth: 'unknown', reason: 'missing', actual, expected, missing };
    const test = OPERATOR_RULES[operator].prepare(expected!);
    return { ...answered(test?.(actual!)), actual, expected };
  };
}

function judgeOfCall({ function: name, args = {} }: FunctionCall, functions: ConditionFunctions): Judge {
  const called = functions.get(name);
  if (called === undefined) throw new TypeError(`no function ${name}: its condition was not checked`);
  return ({ metrics, nowMs }) => {
    const missing = new Set<string>();
    const metric = (metricName: string) => {
      const value = lookUp(metrics, keysOf(metricName));
      if (value === undefined || value === null) missing.add(metricName);
      return value;
    };
    const answer = called.evaluate(args, { nowMs, metric });
    if (answer !== undefined) return { truth: truthOf(answer), missing: [] };
    return { truth: 'unknown', reason: missing.size > 0 ? 'missing' : 'type', missing: [...missing] };
  };
}

function answered(answer: boolean | undefined): Pick<Judged, 'truth' | 'reason' | 'missing'> {
  return { truth: toTruth(answer), ...(answer === undefined ? { reason: 'type' } : {}), missing: [] };
}

function toTruth(answer: boolean | undefined): Truth {
  return answer === undefined ? 'unknown' : truthOf(answer);
}

function keysOf(metric: string): string[] {
  const keys = parseMetricPath(metric);
  if (keys === undefined) throw new TypeError(`${metric} is no metric: its condition was not checked`);
  return keys;
}

function prepared(operator: keyof typeof OPERATOR_RULES, value: JsonValue): Test {
  const test = OPERATOR_RULES[operator].prepare(value);
  if (test === undefined) throw new TypeError(`${operator} does not take this value: its condition was not checked`);
  return test;
}
