import type { Registry } from 'prom-client';
import { FailureType } from '../../kernel/failures';
import { metricsOn } from './metrics-on';

/** What an error belongs to: a source of facts, the policy, or everything around them. */
export type ErrorArea = 'facts' | 'evaluation' | 'system';

/** The failures of every domain: one counter, because all domains share one list of failure types. */
export interface ErrorMetrics {
  /** counts one; throws nothing */
  failed(type: FailureType): void;
}

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

/** The area of a failure type; `system` for all that neither facts nor the policy caused. */
export function errorAreaOf(type: FailureType): ErrorArea {
  if (FACTS.includes(type)) return 'facts';
  return EVALUATION.includes(type) ? 'evaluation' : 'system';
}

/** Declares the counter of errors. */
export function createErrorMetrics(registry: Registry): ErrorMetrics {
  const errors = metricsOn(registry).counter('gate_errors_total', 'Errors by failure type and area', ['area', 'type']);
  return { failed: (type) => errors.inc({ area: errorAreaOf(type), type }) };
}
