import type { Registry } from 'prom-client';
import { createLabelCap } from '../../platform/observability/label-cap';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { Measures } from '../execution/execution';
import type { ExecutionMetrics } from '../execution/execution-metrics';

/** Distinct policies, types and kinds of steps that the metrics tell apart; further ones count as `other`. */
export const EXECUTION_LABEL_LIMITS = { policy: 200, policyType: 20, kind: 20, measure: 50 } as const;
const STEP_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800];

/** Declares the metrics of executions. */
export function createExecutionMetrics(registry: Registry): ExecutionMetrics {
  const { counter, gauge, histogram } = metricsOn(registry);
  const durations = histogram(
    'gate_rules_action_duration_seconds',
    'Time that an attempt at a step of an execution took, by kind of step',
    STEP_BUCKETS,
    ['kind'],
  );
  const steps = counter('gate_rules_actions_total', 'Attempts at steps of executions, by kind and outcome', [
    'kind',
    'outcome',
  ]);
  const rollbacks = counter('gate_rules_rollbacks_total', 'Attempts at taking a step back, by kind and outcome', [
    'kind',
    'outcome',
  ]);
  const impact = gauge(
    'gate_rules_impact',
    'A measure of the state after the last execution, as predicted and as found, by type of policy',
    ['policy_type', 'measure', 'when'],
  );
  const noncompliant = gauge(
    'gate_rules_noncompliant_shards',
    'Shards for which a policy asks for a change, as it was last evaluated for an execution',
    ['policy'],
  );
  const kindLabel = createLabelCap(EXECUTION_LABEL_LIMITS.kind);
  const policyLabel = createLabelCap(EXECUTION_LABEL_LIMITS.policy);
  const typeLabel = createLabelCap(EXECUTION_LABEL_LIMITS.policyType);
  const measureLabel = createLabelCap(EXECUTION_LABEL_LIMITS.measure);
  /** measures that the last execution of a type had: what the next one does not have is no longer shown */
  const shown = new Map<string, string[]>();
  const setImpact = (type: string, when: string, measures: Measures): void => {
    const labels = { policy_type: typeLabel(type), when };
    const key = `${labels.policy_type} ${when}`;
    for (const measure of shown.get(key) ?? []) impact.remove({ ...labels, measure });
    const entries = Object.entries(measures).map(([measure, value]) => ({ measure: measureLabel(measure), value }));
    for (const { measure, value } of entries) impact.set({ ...labels, measure }, value);
    shown.set(
      key,
      entries.map(({ measure }) => measure),
    );
  };
  return {
    stepped(kind, outcome, seconds) {
      durations.observe({ kind: kindLabel(kind) }, seconds);
      steps.inc({ kind: kindLabel(kind), outcome });
    },
    rolledBack: (kind, outcome) => rollbacks.inc({ kind: kindLabel(kind), outcome }),
    noncompliant: (policy, subjects) => noncompliant.set({ policy: policyLabel(policy) }, subjects),
    impact(types, predicted, found) {
      for (const type of types) {
        setImpact(type, 'predicted', predicted ?? {});
        setImpact(type, 'found', found);
      }
    },
  };
}
