import type { Registry } from 'prom-client';
import { metricsOn } from '../../platform/observability/metrics-on';
import type { AlertMetrics } from '../alert-dispatcher';

/** Declares the metrics of alerts. */
export function createAlertMetrics(registry: Registry): AlertMetrics {
  const alerts = metricsOn(registry).counter('gate_alerts_total', 'Alerts by receiver and result: sent or failed', [
    'receiver',
    'result',
  ]);
  return {
    sent: (receiver) => alerts.inc({ receiver, result: 'sent' }),
    failed: (receiver) => alerts.inc({ receiver, result: 'failed' }),
  };
}
