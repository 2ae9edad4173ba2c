import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';

/** What a worker counts of workflows whose workflow task fails again and again. */
export interface WedgedMetrics {
  /** @param count those that it saw in its last look */
  found(count: number): void;
}

/** Declares the metrics of wedged workflows. */
export function createWedgedMetrics(registry: Registry): WedgedMetrics {
  const wedged = metricsOn(registry).gauge(
    'gate_wedged_workflows',
    'Running workflows of the task queue whose workflow task fails again and again, as this worker last saw them',
  );
  return { found: (count) => wedged.set(count) };
}
