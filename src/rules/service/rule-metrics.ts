import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { PolicyChange } from '../store/stored-policy';
import type { OutcomeCounts } from '../threads/messages';

/** What the use cases of rule policies count. Labels are bounded: types are the domain's, all others are fixed lists. */
export interface RuleMetrics {
  evaluated(seconds: number, results: Record<string, OutcomeCounts>, conditions: Record<string, OutcomeCounts>): void;
  /** an evaluation without an answer */
  failed(): void;
  changed(type: string, change: PolicyChange): void;
  quotaRefused(quota: 'policies' | 'document_bytes' | 'requests'): void;
  /** audit records that wait in the store */
  waiting(records: number): void;
}

const EVALUATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Declares the metrics of rule policies. */
export function createRuleMetrics(registry: Registry): RuleMetrics {
  const { counter, gauge, histogram } = metricsOn(registry);
  const seconds = histogram(
    'gate_rules_evaluation_seconds',
    'Time of evaluations of rule policies, queueing excluded',
    EVALUATION_BUCKETS,
  );
  const evaluations = counter(
    'gate_rules_evaluations_total',
    'Results of rule policies, by type of policy and result: true, false, unknown; error counts evaluations without an answer',
    ['policy_type', 'result'],
  );
  const conditions = counter(
    'gate_rules_conditions_total',
    'Single conditions of rule policies that were evaluated, by type of policy and outcome',
    ['policy_type', 'outcome'],
  );
  const changes = counter('gate_rules_policy_changes_total', 'Changes of rule policies, by type of policy and change', [
    'policy_type',
    'change',
  ]);
  const refusals = counter('gate_rules_quota_refusals_total', 'Calls refused because of a quota, by quota', ['quota']);
  const waiting = gauge('gate_rules_audit_waiting', 'Audit records of rule policies that wait in their store');
  return {
    evaluated(took, results, conditionCounts) {
      seconds.observe(took);
      for (const [policy_type, counts] of Object.entries(results)) {
        for (const [result, count] of Object.entries(counts)) evaluations.inc({ policy_type, result }, count);
      }
      for (const [policy_type, counts] of Object.entries(conditionCounts)) {
        for (const [outcome, count] of Object.entries(counts)) conditions.inc({ policy_type, outcome }, count);
      }
    },
    failed: () => evaluations.inc({ policy_type: '', result: 'error' }),
    changed: (policy_type, change) => changes.inc({ policy_type, change }),
    quotaRefused: (quota) => refusals.inc({ quota }),
    waiting: (records) => waiting.set(records),
  };
}
