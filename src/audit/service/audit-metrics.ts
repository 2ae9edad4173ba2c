import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { AuditMetrics } from '../audit-log';

/** What the audit log and the upload of decision logs count. */
export interface AuditServiceMetrics extends AuditMetrics {
  /** bytes that wait on disk for a sink */
  waiting(sink: string, bytes: number): void;
}

/** Declares the metrics of the audit log. */
export function createAuditMetrics(registry: Registry): AuditServiceMetrics {
  const { counter, gauge } = metricsOn(registry);
  const written = counter('gate_audit_writes_total', 'Audit records written, by sink', ['sink']);
  const failed = counter('gate_audit_write_failures_total', 'Audit writes that failed, by sink', ['sink']);
  const dropped = counter('gate_audit_dropped_total', 'Copies of audit records given up, by sink', ['sink']);
  const waiting = gauge('gate_audit_waiting_bytes', 'Copies of audit records that wait on disk, by sink', ['sink']);
  return {
    written: (sink) => written.inc({ sink }),
    failed: (sink) => failed.inc({ sink }),
    dropped: (sink) => dropped.inc({ sink }),
    waiting: (sink, bytes) => waiting.set({ sink }, bytes),
  };
}
