import type { AuditRecord, GateRecord } from '../audit/audit-record';
import { isGateRecord } from '../audit/place';
import { canonicalJson } from '../kernel/canonical-json';
import { FailureType, GateError } from '../kernel/failures';
import type { JsonValue } from '../kernel/json';
import { pointerKeys } from '../kernel/json-pointer';
import type { Decision } from './decisions/decision';
import { decisionRecord, deploymentInput, failureRecord } from './decisions/to-audit-record';
import { SnapshotError } from './facts/collect-snapshot';
import type { FactTarget } from './facts/fact';
import { replaced } from './masking/mask';
import { maskRecord } from './masking/mask-record';
import type { Services } from './services';

/** A decision as it was made and as it was recorded; `decision` is absent where an earlier record was found. */
export interface RecordedDecision {
  decision?: Decision;
  record: GateRecord;
}

type Parts = Pick<Services, 'releases' | 'collect' | 'evaluate' | 'audit' | 'store'>;

/**
 * Collects, evaluates and records, under the release in force; facts that fail give a recorded decision of outcome `error`.
 *
 * @param decisionId a UUID of the caller's own, which the record gets: asked again under it, the answer is that record, and
 *   nothing is collected where the store can be read. @default a new one
 * @throws GateError PolicyUnavailable without a release; AuditWriteFailed or AuditUnavailable of the store; ConfigInvalid
 *   when the id is that of a record about something else
 */
export async function decideTarget(parts: Parts, target: FactTarget, decisionId?: string): Promise<RecordedDecision> {
  if (decisionId === undefined) return decideNow(parts, target);
  const earlier = await parts.store?.get(decisionId);
  if (earlier !== undefined) return { record: checkSubject(earlier, target) };
  const { decision, record } = await decideNow(parts, target, decisionId);
  // Another caller may have recorded under this id meanwhile: what is recorded is the answer.
  return { decision, record: checkSubject(record, target) };
}

/** Without an id of the caller's the decision is new, so that it is always there. */
export async function decideNow(
  { releases, collect, evaluate, audit }: Parts,
  target: FactTarget,
  decisionId?: string,
): Promise<{ decision: Decision; record: GateRecord }> {
  const named = <T extends { decisionId: string }>(taken: T): T =>
    decisionId === undefined ? taken : { ...taken, decisionId };
  const release = releases.current();
  try {
    const snapshot = named(await collect(release, target));
    const decision = await evaluate(release, snapshot);
    return { decision, record: await audit.record(maskRecord(decisionRecord(snapshot, decision, {}), decision.mask)) };
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    const failure = named(error.failure);
    const decision: Decision = { outcome: 'error', denyReasons: [], faults: failure.faults, evalDurationNs: 0 };
    return { decision, record: await audit.record(maskRecord(failureRecord(failure, {}), failure.mask)) };
  }
}

/** An id that was used for something else must not answer: its allow would be for another stage. */
function checkSubject(record: AuditRecord, target: FactTarget): GateRecord {
  const { deploymentId, stage } = target;
  if (
    isGateRecord(record) &&
    record.kind === 'decision' &&
    record.deploymentID === deploymentId &&
    record.stage === stage
  ) {
    const { masked = [], deployment = null } = record;
    const shown = (document: JsonValue): string => canonicalJson(withoutMasked(document, masked));
    if (shown(deployment) === shown(deploymentInput(target))) return record;
  }
  const message = `Expected an id of its own for each question, but the record ${record.decisionID} is about something else`;
  throw new GateError(FailureType.ConfigInvalid, message);
}

/** What a record hides can no longer be compared. */
function withoutMasked(deployment: JsonValue, masked: readonly string[]): JsonValue {
  return masked.map(pointerKeys).reduce<JsonValue>((document, [, subject, ...keys]) => {
    if (subject === undefined) return null;
    return subject === 'deployment' ? replaced(document, keys, null) : document;
  }, deployment);
}
