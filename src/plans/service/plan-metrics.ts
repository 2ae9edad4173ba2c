import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { ControllerMetrics } from './controller';

/** What serving plans counts. Labels are fixed lists. */
export interface PlanMetrics extends ControllerMetrics {
  /** a watch began (1) or ended (-1) */
  onWatchers(change: 1 | -1): void;
}

const STATUS_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Declares the metrics of goals and plans. */
export function createPlanMetrics(registry: Registry): PlanMetrics {
  const { counter, gauge, histogram } = metricsOn(registry);
  const resolutions = counter('gate_plans_resolutions_total', 'Statuses of goals that were written, by result', [
    'result',
  ]);
  const seconds = histogram(
    'gate_plans_status_seconds',
    'Time from the commit of a change to the commit of the status that follows from it, by the clock of the store',
    STATUS_BUCKETS,
  );
  const queue = gauge('gate_plans_queue', 'Goals and bindings whose status waits to be looked at');
  const watchers = gauge('gate_plans_watchers', 'Watches that are open');
  return {
    onResolved: (result) => resolutions.inc({ result }),
    onStatus: (took) => seconds.observe(took),
    onQueue: (length) => queue.set(length),
    onWatchers: (change) => watchers.inc(change),
  };
}
