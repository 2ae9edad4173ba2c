import type { Comparison } from '../conditions/condition';
import type { RulePolicy } from '../document/rule-policy';

/** The labels of a scope, as conditions. */
export function labelConditions({ scope }: RulePolicy, subject: string): Comparison[] {
  return Object.entries(scope.labels ?? {}).map(([key, value]) => ({
    metric: `${subject}.labels[${JSON.stringify(key)}]`,
    operator: 'eq' as const,
    value,
  }));
}
