import type { Registry } from 'prom-client';
import type { GateRecord } from '../audit/audit-record';
import { FailureType } from '../kernel/failures';
import { PAUSED_BY_OPERATOR } from '../kernel/pause';
import { metricsOn } from '../platform/observability/metrics-on';

/** What records of pauses report; no hook throws. */
export interface PauseMetrics {
  /** a record is stored; other kinds do not count */
  recorded(record: Pick<GateRecord, 'kind' | 'reason' | 'timestamp' | 'details'>): void;
}

/** a minute to a week: a pause ends when a person looks */
const PAUSE_BUCKETS = [60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600];

/** Declares the metrics of pauses. They count pauses, not alerts: one incident may hold many pauses. */
export function createPauseMetrics(registry: Registry): PauseMetrics {
  const { counter, histogram } = metricsOn(registry);
  const begun = counter('gate_pauses_total', 'Pauses recorded, by the failure that caused them, or PausedByOperator', [
    'reason',
  ]);
  const durations = histogram(
    'gate_paused_seconds',
    'Time that a deployment was paused, counted when the pause ends, by the failure that caused it, or PausedByOperator',
    PAUSE_BUCKETS,
    ['reason'],
  );
  return {
    recorded({ kind, reason, timestamp, details }) {
      if (kind === 'pause') begun.inc({ reason: known(details?.pausedOn ?? reason) });
      if (kind !== 'resolved' || typeof details?.startedAt !== 'string') return;
      const seconds = (Date.parse(timestamp) - Date.parse(details.startedAt)) / 1000;
      if (seconds >= 0) durations.observe({ reason: known(details.pausedOn) }, seconds);
    },
  };
}

function known(reason: unknown): string {
  const reasons = [...Object.values(FailureType), PAUSED_BY_OPERATOR];
  return reasons.find((type) => type === reason) ?? FailureType.PolicyEvaluation;
}
