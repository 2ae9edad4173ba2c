import type { Registry } from 'prom-client';
import { createAlertMetrics } from '../alerts/service/alert-metrics';
import { createPauseMetrics } from './pause-metrics';
import { createWedgedMetrics } from '../alerts/service/wedged-metrics';
import { createAuditMetrics } from '../audit/service/audit-metrics';
import { createErrorMetrics } from '../platform/observability/error-metrics';
import { createImageMetrics } from '../images/service/image-metrics';
import { createReleaseMetrics } from '../releases/service/release-metrics';
import { createExecutionMetrics } from '../rules/service/execution-metrics';
import { createActionMetrics } from './actions/service/action-metrics';
import { createDecisionMetrics } from './decisions/service/decision-metrics';
import { createEndMetrics } from './end-metrics';
import { createSweepMetrics } from './sweep-metrics';
import { createFactMetrics } from './facts/service/fact-metrics';

/** What the features report, by domain. Each hook is a plain function that throws nothing and needs no `this`. */
export type Metrics = ReturnType<typeof createMetrics>;

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
    wedged: createWedgedMetrics(registry),
    sweep: createSweepMetrics(registry),
    releases: createReleaseMetrics(registry),
    audit: createAuditMetrics(registry),
    actions: createActionMetrics(registry),
    ends: createEndMetrics(registry),
    alerts: createAlertMetrics(registry),
    executions: createExecutionMetrics(registry),
    images: createImageMetrics(registry),
  };
}
