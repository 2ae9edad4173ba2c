import type { Registry } from 'prom-client';
import { metricsOn } from '../platform/observability/metrics-on';

/** What a worker reports of the sweep of terminated and timed-out runs; no hook throws. */
export interface SweepMetrics {
  /** @param isAttended whether it ran where workers are, when this worker looked last */
  found(isAttended: boolean): void;
}

/** Declares the metrics of the sweep. */
export function createSweepMetrics(registry: Registry): SweepMetrics {
  const attended = metricsOn(registry).gauge(
    'gate_sweep_attended',
    'Whether the workflow gate/sweep ran where workers poll its task queue, when this worker looked last: 1 or 0',
  );
  return { found: (isAttended) => attended.set(isAttended ? 1 : 0) };
}
