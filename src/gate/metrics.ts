import type { Registry } from 'prom-client';
import { createAlertMetrics } from '../alerts/service/alert-metrics';
import { createAuditMetrics } from '../audit/service/audit-metrics';
import type { FailureType } from '../kernel/failures';
import { metricsOn } from '../platform/observability/metrics-on';
import { createReleaseMetrics } from '../releases/service/release-metrics';
import { createActionMetrics } from './actions/service/action-metrics';
import { createDecisionMetrics } from './decisions/service/decision-metrics';
import { errorAreaOf } from './error-area';
import { createFactMetrics } from './facts/service/fact-metrics';

/** What the features report, by domain. Each hook is a plain function that throws nothing and needs no `this`. */
export type Metrics = ReturnType<typeof createMetrics>;

/** a minute to a week: a pause ends when a person looks */
const PAUSE_BUCKETS = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600];

/**
 * Registers the metrics that every domain declares; `docs/metrics.md` lists them in this order and a test compares the two.
 *
 * @throws Error when `registry` holds them already: one registry, one call
 */
export function createMetrics(registry: Registry) {
  return {
    facts: createFactMetrics(registry),
    errors: createErrorMetrics(registry),
    decisions: createDecisionMetrics(registry),
    pauses: createPauseMetrics(registry),
    releases: createReleaseMetrics(registry),
    audit: createAuditMetrics(registry),
    actions: createActionMetrics(registry),
    alerts: createAlertMetrics(registry),
  };
}

/** Failures of every domain, told apart by area. */
function createErrorMetrics(registry: Registry) {
  const errors = metricsOn(registry).counter('gate_errors_total', 'Errors by failure type and area', ['area', 'type']);
  return { failed: (type: FailureType): void => errors.inc({ area: errorAreaOf(type), type }) };
}

function createPauseMetrics(registry: Registry) {
  const { counter, histogram } = metricsOn(registry);
  const begun = counter('gate_pauses_total', 'Pauses begun, by the failure that caused them', ['reason']);
  const durations = histogram(
    'gate_paused_seconds',
    'Time that a deployment was paused, counted when the pause ends, by the failure that caused it',
    PAUSE_BUCKETS,
    ['reason'],
  );
  return {
    paused: (reason: FailureType): void => begun.inc({ reason }),
    resolved: (reason: FailureType, seconds: number): void => durations.observe({ reason }, seconds),
  };
}
