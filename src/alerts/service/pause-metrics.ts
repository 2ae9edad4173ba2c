import type { Registry } from 'prom-client';
import type { FailureType } from '../../kernel/failures';
import { metricsOn } from '../../platform/observability/metrics-on';

/** What is counted of pauses, by the messages about them: a pause of any domain begins and ends with one. No hook throws. */
export interface PauseMetrics {
  paused(reason: FailureType): void;
  /** @param seconds from the pause's begin to its end */
  resolved(reason: FailureType, seconds: number): void;
}

/** a minute to a week: a pause ends when a person looks */
const PAUSE_BUCKETS = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600];

/** Declares the metrics of pauses. */
export function createPauseMetrics(registry: Registry): PauseMetrics {
  const { counter, histogram } = metricsOn(registry);
  const begun = counter('gate_pauses_total', 'Pauses begun, by the failure that caused them', ['reason']);
  const durations = histogram(
    'gate_paused_seconds',
    'Time that a deployment was paused, counted when the pause ends, by the failure that caused it',
    PAUSE_BUCKETS,
    ['reason'],
  );
  return {
    paused: (reason) => begun.inc({ reason }),
    resolved: (reason, seconds) => durations.observe({ reason }, seconds),
  };
}
