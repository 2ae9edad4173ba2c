import type { GateRecord, UsedFact } from '../audit/audit-record';
import { FailureType } from '../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json';
import { parseTime } from '../kernel/time';

/** Why an error of a decision log is not replayed. */
export const AGELESS = 'an error of a decision log: the event does not hold the ages of its facts';

/** Whether a line of JSON is an event of OPA's decision log, and no record. */
export const isOpaEvent = (value: JsonObject): boolean =>
  typeof value.decision_id === 'string' && value.decisionID === undefined;

/**
 * An event of OPA's decision log as a record, as far as it tells: OPA's own, or one of `-o opa`. It holds neither the lease nor
 * the ages of facts, which count as observed at the decision.
 *
 * @returns what it lacks where it is no decision of a gate
 */
export function fromOpaEvent(event: JsonObject): { record: GateRecord; cause?: string } | { why: string } {
  const { decision_id: decisionID, input, timestamp } = event;
  if (!isJsonObject(input) || !isJsonObject(input.deployment)) {
    const path = typeof event.path === 'string' ? ` of ${event.path}` : '';
    return { why: `an event of OPA's decision log${path}, but without input.deployment: no gate asked` };
  }
  const { deployment, decision_time: decisionTime, ...facts } = input;
  const atMs = parseTime(decisionTime) ?? parseTime(timestamp);
  if (atMs === undefined) return { why: "expected an event of OPA's decision log to have a time" };
  const answer = answerOf(event);
  if (answer === undefined)
    return { why: "an event of OPA's decision log, but its result is neither {allow, deny_reasons} nor an error" };
  const labels = isJsonObject(event.labels) ? event.labels : {};
  const isGates = labels.app === 'planning-engine';
  const at = new Date(atMs).toISOString();
  const masked = [...textsOf(event.erased), ...textsOf(event.masked)];
  const record: GateRecord = {
    schemaVersion: 1,
    decisionID: String(decisionID),
    kind: 'decision',
    // The gate's own events name both, and an altered one contradicts itself.
    deploymentID: (isGates ? text(labels.deployment_id) : undefined) ?? text(deployment.id) ?? '',
    stage: (isGates ? text(labels.stage) : undefined) ?? text(deployment.stage) ?? '',
    timestamp: at,
    ...answer,
    usedFacts: Object.entries(facts).map(([id, value]) => usedFact(id, value, at)),
    ...optional('policySHA', revisionOf(event.bundles)),
    ...optional('configRev', text(labels.config_rev)),
    ...optional('manifestVersion', text(labels.manifest_version)),
    actor: 'gate',
    deployment,
    ...(masked.length === 0 ? {} : { masked }),
  };
  return { record, ...(answer.outcome === 'error' ? { cause: AGELESS } : {}) };
}

function answerOf({ result, error }: JsonObject): Pick<GateRecord, 'outcome' | 'reasons' | 'errorDetails'> | undefined {
  if (isJsonObject(error)) {
    const type = Object.values(FailureType).find((name) => name === error.code) ?? FailureType.PolicyEvaluation;
    return { outcome: 'error', reasons: [], errorDetails: [{ type, message: text(error.message) ?? '' }] };
  }
  if (!isJsonObject(result) || typeof result.allow !== 'boolean') return undefined;
  const { allow, deny_reasons: reasons = [] } = result;
  if (!Array.isArray(reasons) || reasons.some((reason) => typeof reason !== 'string')) return undefined;
  return { outcome: allow ? 'allow' : 'deny', reasons: textsOf(reasons), errorDetails: [] };
}

function usedFact(id: string, value: JsonValue, at: string): UsedFact {
  return { id, value, observedAt: at, collectedAt: at, source: 'decision log' };
}

/** Of the gate's bundle, or of the only one. */
function revisionOf(bundles: JsonValue | undefined): string | undefined {
  if (!isJsonObject(bundles)) return undefined;
  const all = Object.values(bundles);
  const bundle = bundles.gate ?? (all.length === 1 ? all[0] : undefined);
  return isJsonObject(bundle) ? text(bundle.revision) : undefined;
}

const text = (value: JsonValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

const textsOf = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

function optional<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]?: string });
}
