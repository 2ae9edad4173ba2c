import type { JsonObject, JsonValue } from '../kernel/json';
import type { AuditRecord, GateRecord } from './audit-record';
import { isGateRecord } from './place';

/** One event of OPA's decision log: https://www.openpolicyagent.org/docs/latest/management-decision-logs/ */
export interface OpaEvent {
  labels: Record<string, string>;
  decision_id: string;
  bundles?: Record<string, { revision: string }>;
  path: string;
  input: JsonObject;
  result?: { allow: boolean; deny_reasons: string[] };
  error?: { code: string; message: string };
  /** JSON Pointers of what was masked */
  masked?: string[];
  requested_by: string;
  timestamp: string;
  metrics?: Record<string, number>;
}

/**
 * A decision as OPA's own decision log would tell it: its input is rebuilt as the policy saw it. An error has no
 * `result` but an `error`, whose code is the type of the first fault.
 *
 * @returns undefined for records of other kinds than `decision`, and of other domains than the gate's
 */
export function toOpaEvent(record: AuditRecord): OpaEvent | undefined {
  if (record.kind !== 'decision' || !isGateRecord(record)) return undefined;
  // Half an input would be another decision.
  if (record.damaged !== undefined) return undefined;
  const { policySHA, evalDurationNS, masked = [] } = record;
  return {
    labels: toLabels(record),
    decision_id: record.decisionID,
    ...(policySHA !== undefined && { bundles: { gate: { revision: policySHA } } }),
    path: 'gate/response',
    input: toInput(record),
    ...(record.outcome === 'error'
      ? { error: toError(record) }
      : { result: { allow: record.outcome === 'allow', deny_reasons: record.reasons } }),
    ...(masked.length > 0 && { masked }),
    requested_by: record.workflowID ?? record.actor,
    timestamp: record.timestamp,
    ...(evalDurationNS !== undefined && { metrics: { timer_rego_query_eval_ns: evalDurationNS } }),
  };
}

function toLabels({ deploymentID, stage, manifestVersion, configRev }: GateRecord): Record<string, string> {
  return {
    app: 'planning-engine',
    id: deploymentID,
    stage,
    ...(manifestVersion !== undefined && { version: manifestVersion }),
    ...(configRev !== undefined && { config_rev: configRev }),
  };
}

function toInput({ usedFacts, deployment, timestamp }: GateRecord): JsonObject {
  const entries: [string, JsonValue][] = usedFacts.map(({ id, value }) => [id, value]);
  if (deployment !== undefined) entries.push(['deployment', deployment]);
  return Object.fromEntries([...entries, ['decision_time', timestamp]]);
}

function toError({ errorDetails }: GateRecord): { code: string; message: string } {
  return {
    code: errorDetails[0]?.type ?? 'unknown',
    message: errorDetails.map(({ message }) => message).join('; '),
  };
}
