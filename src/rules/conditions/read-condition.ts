import type { JsonObject, JsonValue } from '../../kernel/json';
import { isJsonObject } from '../../kernel/json';
import { escapePointer } from '../../kernel/json-pointer';
import { shortText } from '../../kernel/short-text';
import { closeName } from '../../platform/documents/close-name';
import { describeKind } from '../../platform/documents/json-document';
import { RULE_LIMITS } from '../limits';
import { isMetricReference, Operator, OPERATORS, type Condition } from './condition';
import type { ConditionFunctions } from './functions';
import { parseMetricPath } from './metric-path';
import { OPERATOR_RULES } from './operators';

/** One thing that is wrong with a document. `sentence` begins in lower case and says what was expected and what was found. */
export interface RuleFault {
  /** JSON Pointer */
  pointer: string;
  sentence: string;
}

/** Each kind of condition by the key that tells it, with its other keys. */
const KINDS: Record<string, readonly string[]> = {
  all: [],
  any: [],
  not: [],
  metric: ['operator', 'value'],
  function: ['args'],
};

/** What takes no `value`. */
const WITHOUT_VALUE: readonly string[] = [Operator.exists, Operator.not_exists];

/**
 * Every fault of a tree of conditions: its shape, names of metrics, operators and functions, values that an operator cannot
 * take, and more than `RULE_LIMITS` allows. Without faults `value` is a `Condition`.
 *
 * @param pointer of `value` in the document
 * @param prefixes first keys that a metric may have; @default any
 */
export function conditionFaults(
  value: JsonValue | undefined,
  pointer: string,
  functions: ConditionFunctions,
  prefixes?: readonly string[],
): RuleFault[] {
  const faults: RuleFault[] = [];
  let count = 0;
  const fault = (at: string, sentence: string) => {
    faults.push({ pointer: at, sentence });
  };

  function read(condition: JsonValue | undefined, at: string, depth: number): void {
    count += 1;
    if (count === RULE_LIMITS.conditions + 1) {
      fault(at, `expected at most ${RULE_LIMITS.conditions} conditions in a policy, got more`);
    }
    if (count > RULE_LIMITS.conditions) return;
    if (depth > RULE_LIMITS.depth) {
      fault(at, `expected conditions at most ${RULE_LIMITS.depth} levels deep, got more`);
      return;
    }
    if (!isJsonObject(condition)) {
      fault(
        at,
        `expected a condition, such as { "metric": …, "operator": …, "value": … }, got ${describeKind(condition)}`,
      );
      return;
    }
    const kinds = Object.keys(KINDS).filter((key) => Object.hasOwn(condition, key));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1) {
      const found = kinds.length > 1 ? kinds.join(' and ') : describeKind(condition);
      fault(at, `expected a condition with exactly one of ${Object.keys(KINDS).join(', ')}, got ${found}`);
      return;
    }
    readKeys(condition, kind, at);
    if (kind === 'all' || kind === 'any') readList(condition[kind], `${at}/${kind}`, depth);
    else if (kind === 'not') read(condition.not, `${at}/not`, depth + 1);
    else if (kind === 'metric') readComparison(condition, at);
    else readCall(condition, at);
  }

  function readKeys(condition: JsonObject, kind: string, at: string): void {
    const known = [kind, ...KINDS[kind]!, 'description'];
    for (const key of Object.keys(condition)) {
      if (known.includes(key)) continue;
      const close = closeName(key, known);
      const hint = close === undefined ? `known are ${known.join(', ')}` : `did you mean ${close}?`;
      fault(`${at}/${escapePointer(key)}`, `unknown key ${shortText(key, 80)}; ${hint}`);
    }
    const { description } = condition;
    if (description !== undefined && typeof description !== 'string') {
      fault(`${at}/description`, `expected a text, got ${describeKind(description)}`);
    }
  }

  function readList(list: JsonValue | undefined, at: string, depth: number): void {
    if (!Array.isArray(list) || list.length === 0) {
      fault(
        at,
        `expected a list of at least one condition, got ${Array.isArray(list) ? 'an empty list' : describeKind(list)}`,
      );
      return;
    }
    list.forEach((item, index) => read(item, `${at}/${index}`, depth + 1));
  }

  function readMetric(name: JsonValue | undefined, at: string): void {
    if (typeof name !== 'string') {
      fault(at, `expected the name of a metric, got ${describeKind(name)}`);
      return;
    }
    const [first] = parseMetricPath(name) ?? [];
    if (first !== undefined) readPrefix(name, first, at);
    else {
      fault(at, `expected the name of a metric, such as node.cpu_usage or node.labels["a.b/c"], got ${shown(name)}`);
    }
  }

  function readPrefix(name: string, first: string, at: string): void {
    if (prefixes === undefined || prefixes.includes(first)) return;
    const close = closeName(first, prefixes);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    fault(at, `expected a metric of ${prefixes.join(', ')}, got ${shortText(name, 80)}${hint}`);
  }

  function readComparison(condition: JsonObject, at: string): void {
    readMetric(condition.metric, `${at}/metric`);
    const { operator, value: expected } = condition;
    if (typeof operator !== 'string' || !(OPERATORS as readonly string[]).includes(operator)) {
      const close = typeof operator === 'string' ? closeName(operator, OPERATORS) : undefined;
      const hint = close === undefined ? '' : ` (did you mean ${close}?)`;
      fault(`${at}/operator`, `expected one of ${OPERATORS.join(', ')}${hint}, got ${shown(operator)}`);
    } else if (WITHOUT_VALUE.includes(operator)) {
      if (expected !== undefined)
        fault(`${at}/value`, `expected no value beside ${operator}, got ${describeKind(expected)}`);
    } else readValue(operator as keyof typeof OPERATOR_RULES, expected, `${at}/value`);
  }

  function readValue(operator: keyof typeof OPERATOR_RULES, expected: JsonValue | undefined, at: string): void {
    const { expects, prepare, why } = OPERATOR_RULES[operator];
    if (expected === undefined || expected === null) {
      fault(at, `expected ${expects} to compare with, got ${describeKind(expected)}`);
    } else if (isMetricReference(expected)) {
      if (operator === Operator.matches) fault(at, 'expected a regular expression, got a metric');
      else readMetric(expected.metric, `${at}/metric`);
    } else if (Array.isArray(expected) && expected.length > RULE_LIMITS.listItems) {
      fault(at, `expected at most ${RULE_LIMITS.listItems} items, got ${expected.length}`);
    } else if (operator === Operator.matches && String(expected).length > RULE_LIMITS.patternChars) {
      fault(at, `expected at most ${RULE_LIMITS.patternChars} characters, got ${String(expected).length}`);
    } else if (prepare(expected) === undefined) {
      const reason = why?.(expected);
      const because = reason === undefined ? '' : `: ${reason}`;
      fault(at, `expected ${expects} beside ${operator}, got ${shown(expected)}${because}`);
    }
  }

  function readCall(condition: JsonObject, at: string): void {
    const { function: name, args = {} } = condition;
    const called = typeof name === 'string' ? functions.get(name) : undefined;
    if (called === undefined) {
      const known = [...functions.keys()];
      const close = typeof name === 'string' ? closeName(name, known) : undefined;
      const hint = close === undefined ? `known are ${known.join(', ') || 'none'}` : `did you mean ${close}?`;
      fault(`${at}/function`, `expected the name of a function, got ${shown(name)}; ${hint}`);
    } else if (!isJsonObject(args)) fault(`${at}/args`, `expected an object, got ${describeKind(args)}`);
    else {
      const found = called.argumentFaults(args);
      for (const sentence of found) fault(`${at}/args`, sentence);
      if (found.length > 0) return;
      for (const metric of called.metrics?.(args) ?? []) readMetric(metric, `${at}/args`);
    }
  }

  read(value, pointer, 1);
  return faults;
}

/** A value that `conditionFaults` found no fault in. */
export function asCondition(value: JsonValue): Condition {
  return value as unknown as Condition;
}

function shown(value: JsonValue | undefined): string {
  return typeof value === 'object' || value === undefined ? describeKind(value) : shortText(JSON.stringify(value), 80);
}
