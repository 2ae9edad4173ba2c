import type { Registry } from 'prom-client';
import type { GateRecord } from '../audit/audit-record';
import { metricsOn } from '../platform/observability/metrics-on';
import { ACTED_RESULTS, DeploymentEnd } from '../audit/ends';

/** What records of actions and ends report; no hook throws. */
export interface EndMetrics {
  /** a record is stored; other kinds do not count */
  recorded(record: Pick<GateRecord, 'kind' | 'details'>): void;
}

/** Declares the metrics of what became of actions and of deployments. */
export function createEndMetrics(registry: Registry): EndMetrics {
  const { counter } = metricsOn(registry);
  const acted = counter('gate_stage_actions_total', 'Actions of stages, over all attempts, by result', ['result']);
  const ended = counter('gate_deployments_ended_total', 'Deployments that ended, by how they ended', ['end']);
  return {
    recorded({ kind, details }) {
      if (kind === 'acted') acted.inc({ result: known(details?.result, ACTED_RESULTS) });
      if (kind === 'ended') ended.inc({ end: known(details?.end, Object.values(DeploymentEnd)) });
    },
  };
}

function known(label: unknown, labels: readonly string[]): string {
  return labels.find((one) => one === label) ?? 'other';
}
