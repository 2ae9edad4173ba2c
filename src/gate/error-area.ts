import { FailureType } from '../kernel/failures';

/** What part of the gate an error belongs to: a source of facts, the policy, or everything around them. */
export type ErrorArea = 'facts' | 'evaluation' | 'system';

const FACTS: readonly FailureType[] = [
  FailureType.FactSourceUnavailable,
  FailureType.FactStale,
  FailureType.FactInvalid,
  FailureType.FactMissing,
];
const EVALUATION: readonly FailureType[] = [
  FailureType.PolicyUnavailable,
  FailureType.PolicyInvalid,
  FailureType.PolicyEvaluation,
];

export function errorAreaOf(type: FailureType): ErrorArea {
  if (FACTS.includes(type)) return 'facts';
  return EVALUATION.includes(type) ? 'evaluation' : 'system';
}
