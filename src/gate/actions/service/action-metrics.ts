import type { Registry } from 'prom-client';
import { metricsOn } from '../../../platform/observability/metrics-on';

/** What the running of actions reports, once an attempt; no hook throws. */
export interface ActionMetrics {
  succeeded(type: string): void;
  failed(type: string): void;
  compensated(type: string): void;
}

/** Declares the metrics of actions. */
export function createActionMetrics(registry: Registry): ActionMetrics {
  const actions = metricsOn(registry).counter(
    'gate_actions_total',
    'Attempts at actions by type and result: ok, failed or compensated',
    ['type', 'result'],
  );
  return {
    succeeded: (type) => actions.inc({ type, result: 'ok' }),
    failed: (type) => actions.inc({ type, result: 'failed' }),
    compensated: (type) => actions.inc({ type, result: 'compensated' }),
  };
}
