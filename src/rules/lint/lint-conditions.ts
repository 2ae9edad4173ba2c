import type { JsonValue } from '../../kernel/json';
import { closeName } from '../../platform/documents/close-name';
import { isMetricReference, Operator, type Comparison, type Condition } from '../conditions/condition';
import { metricName, parseMetricPath } from '../conditions/metric-path';
import type { RulePolicy } from '../document/rule-policy';
import type { MetricKind, RuleDomain } from '../domain';
import { LintRule, type Finding } from './finding';
import { conjunctsOf, isEmpty, rangesOf } from './ranges';

/** What can be said of one policy's conditions alone. */
export function conditionFindings(policy: RulePolicy, domain: RuleDomain): Finding[] {
  const findings: Finding[] = [];
  const say = (rule: LintRule, severity: Finding['severity'], pointer: string, message: string) =>
    findings.push({ rule, severity, policy: policy.name, pointer, message });

  function visit(condition: Condition, at: string): void {
    if ('all' in condition) {
      for (const [metric, range] of rangesOf(conjunctsOf(condition))) {
        if (isEmpty(range)) {
          say(LintRule.contradiction, 'error', at, `no value of ${metric} meets all of its conditions: never true`);
        }
      }
      condition.all.forEach((part, index) => visitPart(part, `${at}/all/${index}`));
    } else if ('any' in condition) condition.any.forEach((part, index) => visit(part, `${at}/any/${index}`));
    else if ('not' in condition) visit(condition.not, `${at}/not`);
    else if ('metric' in condition) visitComparison(condition, at);
  }

  /** An `all` within an `all` was looked at with it. */
  function visitPart(part: Condition, at: string): void {
    if ('all' in part) part.all.forEach((each, index) => visitPart(each, `${at}/all/${index}`));
    else visit(part, at);
  }

  function visitComparison({ metric, operator, value }: Comparison, at: string): void {
    const kind = kindOf(metric, `${at}/metric`);
    if (isMetricReference(value)) {
      kindOf(value.metric, `${at}/value/metric`);
      return;
    }
    if (kind === undefined) return;
    const expected = wantedKinds(operator, value as JsonValue | undefined);
    if (expected === undefined || expected.includes(kind)) return;
    const never = ['eq', 'in'].includes(operator)
      ? 'never true'
      : ['ne', 'not_in'].includes(operator)
        ? 'true of every value'
        : 'always unknown';
    say(
      LintRule.type,
      'error',
      at,
      `${metric} is ${withArticle(kind)}, and ${operator} compares it with ${expected.map(withArticle).join(' or ')}: ${never}`,
    );
  }

  function kindOf(metric: string, at: string): MetricKind | undefined {
    const [prefix = '', ...keys] = parseMetricPath(metric)!;
    const known = domain.metrics?.[prefix];
    const [first] = keys;
    if (known === undefined) return undefined;
    if (first === undefined) return 'object';
    if (!Object.hasOwn(known, first)) {
      const close = closeName(first, Object.keys(known));
      const hint = close === undefined ? '' : `; did you mean ${metricName([prefix, close])}?`;
      say(LintRule.unknown_metric, 'warning', at, `${metric} is not in the schema of a state${hint}`);
      return undefined;
    }
    const inner = keys.slice(1);
    return inner.length === 0 ? known[first] : undefined;
  }

  visit(policy.conditions, '/conditions');
  return findings;
}

const withArticle = (kind: MetricKind): string => (kind === 'object' ? 'an object' : `a ${kind}`);

/** What an operator can compare with a value; undefined where it takes all kinds. */
function wantedKinds(operator: Operator, value: JsonValue | undefined): MetricKind[] | undefined {
  switch (operator) {
    case Operator.lt:
    case Operator.lte:
    case Operator.gt:
    case Operator.gte:
    case Operator.between:
      return ['number'];
    case Operator.matches:
    case Operator.starts_with:
    case Operator.ends_with:
      return ['text'];
    case Operator.contains:
      return typeof value === 'string' ? ['text', 'list'] : ['list'];
    case Operator.eq:
    case Operator.ne:
      return [kindOfValue(value!)];
    case Operator.in:
    case Operator.not_in:
      return [...new Set((value as JsonValue[]).map(kindOfValue))];
    case Operator.exists:
    case Operator.not_exists:
      return undefined;
    default:
      return operator satisfies never;
  }
}

function kindOfValue(value: JsonValue): MetricKind {
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
      return 'object';
  }
}
