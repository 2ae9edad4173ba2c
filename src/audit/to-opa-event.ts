import type { JsonObject, JsonValue } from '../kernel/json';
import type { AuditRecord, GateRecord } from './audit-record';
import { pointerKeys, valueAt } from '../kernel/json-pointer';
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
  /** JSON Pointers of what was taken out: null is in its place, so that the event still shows that there was something */
  erased?: string[];
  /** JSON Pointers of what was replaced */
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
  const { policySHA, evalDurationNS } = record;
  const event = { input: toInput(record) };
  const isErased = (pointer: string): boolean => (valueAt(event, pointerKeys(pointer)) ?? null) === null;
  const [erased, masked] = partition(record.masked ?? [], isErased);
  return {
    labels: toLabels(record),
    decision_id: record.decisionID,
    ...(policySHA !== undefined && { bundles: { gate: { revision: policySHA } } }),
    path: 'gate/response',
    ...event,
    ...(record.outcome === 'error'
      ? { error: toError(record) }
      : { result: { allow: record.outcome === 'allow', deny_reasons: record.reasons } }),
    ...(erased.length > 0 && { erased }),
    ...(masked.length > 0 && { masked }),
    requested_by: record.workflowID ?? record.actor,
    timestamp: record.timestamp,
    ...(evalDurationNS !== undefined && { metrics: { timer_rego_query_eval_ns: evalDurationNS } }),
  };
}

function partition(pointers: readonly string[], isFirst: (pointer: string) => boolean): [string[], string[]] {
  return [pointers.filter(isFirst), pointers.filter((pointer) => !isFirst(pointer))];
}

/** OPA's `id` names the instance that decided. */
function toLabels(record: GateRecord): Record<string, string> {
  const { deploymentID, stage, manifestVersion, configRev, evaluation } = record;
  return {
    app: 'planning-engine',
    ...(evaluation?.instance !== undefined && { id: evaluation.instance }),
    deployment_id: deploymentID,
    stage,
    ...(manifestVersion !== undefined && { manifest_version: manifestVersion }),
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
