import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';

/** Why a policy was not asked. */
export type SkipReason = 'disabled' | 'type' | 'operation' | 'labels';

/** What is asked of the policies. */
export interface Question {
  /** one of the domain's; undefined asks every policy */
  operation?: string;
  /** labels of the subject; undefined where the question is about none */
  labels?: Readonly<Record<string, string>>;
}

/** Whether a policy is for this question: by its type and its scope, and enabled. Undefined when it is. */
export function skipReason(
  policy: RulePolicy,
  { operation, labels }: Question,
  domain: RuleDomain,
): SkipReason | undefined {
  if (!policy.enabled) return 'disabled';
  if (operation !== undefined) {
    if (!domain.types.get(policy.type)!.operations.includes(operation)) return 'type';
    if (policy.scope.operation !== undefined && policy.scope.operation !== operation) return 'operation';
  }
  const wanted = Object.entries(policy.scope.labels ?? {});
  if (wanted.some(([key, value]) => labels === undefined || !Object.hasOwn(labels, key) || labels[key] !== value)) {
    return 'labels';
  }
  return undefined;
}

/** Before `effectiveFrom` and from `effectiveUntil` on a policy shows what it would do, and does nothing. */
export function isPreview({ effectiveFromMs, effectiveUntilMs }: RulePolicy, nowMs: number): boolean {
  return nowMs < (effectiveFromMs ?? -Infinity) || nowMs >= (effectiveUntilMs ?? Infinity);
}
