import type { JsonValue } from '../../kernel/json';
import { shortText } from '../../kernel/short-text';
import { judgeOf, type ConditionScope, type Judged, type UnknownReason } from './compile-condition';
import type { Operator } from './condition';
import { isMetricReference, type Comparison, type Condition, type FunctionCall } from './condition';
import type { ConditionFunctions } from './functions';
import { allOf, anyOf, not, type Truth } from './truth';

/** A condition with what it came to and why; `parts` are those of `all`, `any` and `not`. */
export interface ExplainedCondition {
  outcome: Truth;
  /** the key that tells the kind */
  kind: 'all' | 'any' | 'not' | 'metric' | 'function';
  /** one sentence; the condition's own description where it has one */
  sentence: string;
  /** whether the sentence is the condition's own description */
  described?: true;
  metric?: string;
  operator?: Operator;
  expected?: JsonValue;
  actual?: JsonValue;
  /** why it is unknown */
  reason?: UnknownReason;
  missing?: string[];
  parts?: ExplainedCondition[];
}

/**
 * The whole tree, each condition evaluated, those too that an evaluation would not have reached. The outcome is that of
 * `compileCondition` over the same scope.
 */
export function explainCondition(
  condition: Condition,
  functions: ConditionFunctions,
  scope: ConditionScope,
): ExplainedCondition {
  const explain = (part: Condition) => explainCondition(part, functions, scope);
  const describe = (sentence: string) => described(condition, sentence);
  if ('all' in condition) {
    const parts = condition.all.map(explain);
    const outcome = allOf(parts.map((part) => part.outcome));
    return { outcome, kind: 'all', ...describe(counted(parts)), parts };
  }
  if ('any' in condition) {
    const parts = condition.any.map(explain);
    const outcome = anyOf(parts.map((part) => part.outcome));
    return { outcome, kind: 'any', ...describe(counted(parts)), parts };
  }
  if ('not' in condition) {
    const part = explain(condition.not);
    return { outcome: not(part.outcome), kind: 'not', ...describe(`not: ${part.sentence}`), parts: [part] };
  }
  const judged = judgeOf(condition, functions)(scope);
  return 'function' in condition ? explainedCall(condition, judged) : explainedComparison(condition, judged);
}

/** Names of the metrics without which a condition is unknown, each once, in the order of the conditions. */
export function missingMetrics(explained: ExplainedCondition): string[] {
  if (explained.outcome !== 'unknown') return [];
  const missing = explained.parts ? explained.parts.flatMap(missingMetrics) : (explained.missing ?? []);
  return [...new Set(missing)];
}

function described({ description }: Condition, sentence: string): Pick<ExplainedCondition, 'sentence' | 'described'> {
  return description === undefined ? { sentence } : { sentence: description, described: true };
}

function counted(parts: readonly ExplainedCondition[]): string {
  const held = parts.filter((part) => part.outcome === 'true').length;
  const unknown = parts.filter((part) => part.outcome === 'unknown').length;
  return `${held} of ${parts.length} hold${unknown === 0 ? '' : `, ${unknown} unknown`}`;
}

function explainedComparison(condition: Comparison, judged: Judged): ExplainedCondition {
  const { metric, operator } = condition;
  const { truth: outcome, actual, expected, reason, missing } = judged;
  return {
    outcome,
    kind: 'metric',
    ...described(condition, sentenceOf(condition, judged)),
    metric,
    operator,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    ...(reason === undefined ? {} : { reason }),
    ...(missing.length === 0 ? {} : { missing }),
  };
}

function explainedCall(condition: FunctionCall, judged: Judged): ExplainedCondition {
  const { function: name, args } = condition;
  const { truth: outcome, reason, missing } = judged;
  const call = `${name}(${args === undefined ? '' : shortText(JSON.stringify(args), 200)})`;
  const why =
    reason === 'missing' ? `: ${missing.join(', ')} missing` : reason === 'type' ? ': a value of another type' : '';
  return {
    outcome,
    kind: 'function',
    ...described(condition, `${call} is ${outcome}${why}`),
    ...(reason === undefined ? {} : { reason }),
    ...(missing.length === 0 ? {} : { missing }),
  };
}

const WORDS: Record<Operator, string> = {
  eq: '=',
  ne: '≠',
  lt: '<',
  lte: '≤',
  gt: '>',
  gte: '≥',
  in: 'is one of',
  not_in: 'is none of',
  contains: 'contains',
  matches: 'matches',
  exists: 'exists',
  not_exists: 'does not exist',
  between: 'is between',
  starts_with: 'starts with',
  ends_with: 'ends with',
};

/** `node.cpu_usage < 80 holds: it is 42`. */
function sentenceOf(
  { metric, operator, value }: Comparison,
  { truth, actual, expected, reason, missing }: Judged,
): string {
  const other = isMetricReference(value) ? value.metric : value === undefined ? '' : shown(value);
  const claim = [metric, WORDS[operator], other].filter((word) => word !== '').join(' ');
  if (reason === 'missing')
    return `${claim} is unknown: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`;
  const against =
    isMetricReference(value) && expected !== undefined ? ` and ${value.metric} is ${shown(expected)}` : '';
  if (reason === 'type')
    return `${claim} is unknown: ${metric} is ${shown(actual)}${against}, which cannot be compared`;
  const found = actual === undefined ? 'it is missing' : `it is ${shown(actual)}${against}`;
  return `${claim} ${truth === 'true' ? 'holds' : 'does not hold'}: ${found}`;
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'missing' : shortText(JSON.stringify(value), 120);
}
