import { canonicalJson } from '../../kernel/canonical-json';
import type { JsonValue } from '../../kernel/json';
import { isMetricReference, Operator, type Condition } from '../conditions/condition';
import { metricName, parseMetricPath } from '../conditions/metric-path';
import { OPERATOR_RULES } from '../conditions/operators';
import { allOf, anyOf, not, truthOf, type Truth } from '../conditions/truth';
import type { PolicySet } from '../document/read-policies';
import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { LintRule, type Finding } from './finding';
import { labelConditions } from './label-conditions';

/** Cases of declared enumerations in which no policy that reads the metric can match. */
export function enumerationFindings({ policies, enumerations }: PolicySet, { prefixes }: RuleDomain): Finding[] {
  return Object.entries(enumerations).flatMap(([metric, cases]) => {
    const name = metricName(parseMetricPath(metric)!);
    const reading = policies
      .filter(({ enabled }) => enabled)
      .map((policy) => ({ policy, conditions: withLabels(policy, prefixes.subject) }))
      .filter(({ conditions }) => comparisonsOf(conditions, name).length > 0);
    const pointer = '';
    if (reading.length === 0) {
      const message = `no policy reads ${metric}, of which the cases are declared`;
      return [{ rule: LintRule.uncovered, severity: 'warning' as const, pointer, message }];
    }
    const uncovered = cases.filter(
      (value) => !reading.some(({ conditions }) => truthWith(conditions, name, value) !== 'false'),
    );
    const foreign = reading.flatMap(({ policy, conditions }) =>
      comparisonsOf(conditions, name)
        .flatMap(({ operator, value }) =>
          operator === Operator.eq ? [value as JsonValue] : operator === Operator.in ? (value as JsonValue[]) : [],
        )
        .filter((value) => !isMetricReference(value) && !cases.some((each) => isSame(each, value)))
        .map((value): Finding => {
          const message = `${JSON.stringify(value)} is none of the declared cases of ${metric}`;
          return { rule: LintRule.uncovered, severity: 'error', policy: policy.name, pointer: '/conditions', message };
        }),
    );
    return [
      ...uncovered.map((value): Finding => {
        const message = `no policy can match where ${metric} is ${JSON.stringify(value)}`;
        return { rule: LintRule.uncovered, severity: 'warning', pointer, message };
      }),
      ...foreign,
    ];
  });
}

function withLabels(policy: RulePolicy, subject: string): Condition {
  return { all: [...labelConditions(policy, subject), policy.conditions] };
}

function comparisonsOf(condition: Condition, name: string): { operator: Operator; value?: unknown }[] {
  if ('all' in condition) return condition.all.flatMap((part) => comparisonsOf(part, name));
  if ('any' in condition) return condition.any.flatMap((part) => comparisonsOf(part, name));
  if ('not' in condition) return comparisonsOf(condition.not, name);
  return 'metric' in condition && isMetric(condition.metric, name) ? [condition] : [];
}

/** What the conditions come to where the metric is `value` and of all others nothing is known. */
function truthWith(condition: Condition, name: string, value: JsonValue): Truth {
  if ('all' in condition) return allOf(condition.all.map((part) => truthWith(part, name, value)));
  if ('any' in condition) return anyOf(condition.any.map((part) => truthWith(part, name, value)));
  if ('not' in condition) return not(truthWith(condition.not, name, value));
  if (!('metric' in condition) || !isMetric(condition.metric, name)) return 'unknown';
  const { operator, value: expected } = condition;
  if (operator === Operator.exists || operator === Operator.not_exists) return truthOf(operator === Operator.exists);
  if (isMetricReference(expected)) return 'unknown';
  const answer = OPERATOR_RULES[operator].prepare(expected as JsonValue)?.(value);
  // Of a wrong type: it is unknown whatever else the state holds, and so does not fire.
  return answer === undefined ? 'false' : truthOf(answer);
}

function isMetric(metric: string, name: string): boolean {
  return metricName(parseMetricPath(metric)!) === name;
}

function isSame(one: JsonValue, other: JsonValue): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
