import { messageOf } from '../kernel/message-of';
import type { GateRecord } from '../audit/audit-record';
import type { Decision } from '../gate/decisions/decision';
import { draftOf, type DraftRecord, type Looked } from '../gate/deployments/looked';
import { shortRecord } from '../gate/deployments/short-record';
import { SnapshotError } from '../gate/facts/collect-snapshot';
import type { Fact, FactTarget } from '../gate/facts/fact';
import { factsFault } from '../gate/facts/fact-size';
import type { Snapshot, SnapshotFailure } from '../gate/facts/snapshot';
import type { Services } from '../gate/services';
import { boundedFaults } from '../kernel/bounded-faults';
import { FailureType, GateError, type Fault } from '../kernel/failures';
import { fitting, jsonBytes, LIMITS } from '../kernel/limits';
import type { Release } from '../releases/release';
import type { CollectRequest } from './gate-activities';

type Parts = Pick<Services, 'collect' | 'bigFacts'>;

/** What workflows of earlier releases are given: all facts, below what a payload may have. */
const MOST_WHOLE_BYTES = LIMITS.factBytes;
const NO_PLACE =
  '; the store of record has no place for bigger ones (audit.store, and audit.store.bigFacts for DynamoDB)';

/**
 * The facts of a decision, whole. They are refused here where they could not leave the activity.
 *
 * @throws SnapshotError with every fault
 */
export async function collectFitting(
  { collect, bigFacts }: Parts,
  release: Release,
  { target, bypassCache, light }: Pick<CollectRequest, 'target' | 'bypassCache' | 'light'>,
): Promise<Snapshot> {
  const snapshot = await collect(release, target, bypassCache);
  if (light && bigFacts !== undefined) return snapshot;
  const fault = factsFault(snapshot.facts, light ? LIMITS.carriedFactsBytes : MOST_WHOLE_BYTES, light ? NO_PLACE : '');
  if (fault === undefined) return snapshot;
  throw withoutFacts(snapshot, [fault]);
}

/**
 * The snapshot as it passes through Temporal: without the attributes, which the workflow has, and with its facts put aside
 * where they are big.
 *
 * @throws SnapshotError AuditWriteFailed when they cannot be put aside
 */
export async function lightSnapshot({ bigFacts }: Pick<Services, 'bigFacts'>, snapshot: Snapshot): Promise<Snapshot> {
  const target = withoutAttributes(snapshot.target);
  if (bigFacts === undefined || isLight(snapshot.facts)) return { ...snapshot, target };
  try {
    return { ...snapshot, target, facts: [], part: await bigFacts.put(snapshot.facts) };
  } catch (error) {
    throw withoutFacts(snapshot, [notPutAside(error)]);
  }
}

/** The same of facts that failed. Where those that could be had cannot be put aside, the ones that fit are kept. */
export async function lightFailure(
  { bigFacts }: Pick<Services, 'bigFacts'>,
  failure: SnapshotFailure,
): Promise<SnapshotFailure> {
  const target = withoutAttributes(failure.target);
  if (isLight(failure.facts)) return { ...failure, target };
  try {
    if (bigFacts !== undefined) {
      const part = await bigFacts.put(failure.facts);
      const record = shortRecord(draftOf({ failure }, {}).record);
      return { ...failure, target, facts: [], part, record };
    }
  } catch {
    // The failure itself matters more than the facts that could be had; that the store is away shows when it is recorded.
  }
  const limit = { count: failure.facts.length, bytes: LIMITS.carriedFactsBytes };
  const { kept } = fitting(failure.facts, limit, ({ id }) => id, jsonBytes);
  return { ...failure, target, facts: kept };
}

/** @throws SnapshotError as `lightSnapshot` does */
export async function lightLooked(services: Pick<Services, 'bigFacts'>, looked: Looked): Promise<Looked> {
  if ('failure' in looked) return { failure: await lightFailure(services, looked.failure) };
  const snapshot = await lightSnapshot(services, looked.snapshot);
  return { snapshot, decision: snapshot.part ? withRecord(looked.snapshot, looked.decision) : looked.decision };
}

/** A snapshot with its facts; @throws GateError FactInvalid when they are gone, AuditUnavailable */
export async function wholeSnapshot<S extends Snapshot | SnapshotFailure>(
  { bigFacts }: Pick<Services, 'bigFacts'>,
  snapshot: S,
): Promise<S> {
  const { part, ...rest } = snapshot;
  if (part === undefined) return snapshot;
  if (bigFacts !== undefined) return { ...rest, facts: await bigFacts.get(part) } as S;
  const message = `The facts of this decision (${part.bytes} bytes) are in a store that this worker does not have`;
  throw new GateError(FailureType.FactInvalid, message, [{ type: FailureType.FactInvalid, message, where: 'facts' }]);
}

/** What the workflow shows and compares of a decision whose facts it does not have. */
export function withRecord(whole: Snapshot, decision: Decision): Decision {
  return { ...decision, record: shortRecord(draftOf({ snapshot: whole, decision }, {}).record) };
}

/**
 * The record of a draft, with its facts. Where they are gone it is the record of an error: nothing acts on facts that no
 * record holds.
 *
 * @throws GateError AuditUnavailable when the facts cannot be read
 */
export async function wholeRecord(
  services: Pick<Services, 'bigFacts'>,
  { looked, ...draft }: DraftRecord,
): Promise<GateRecord> {
  if (looked === undefined) return draft;
  const run = { workflowId: draft.workflowID, runId: draft.runID };
  try {
    const whole =
      'failure' in looked
        ? { failure: await wholeSnapshot(services, looked.failure) }
        : { snapshot: await wholeSnapshot(services, looked.snapshot), decision: looked.decision };
    return draftOf(whole, run).record;
  } catch (error) {
    if (!(error instanceof GateError) || error.type !== FailureType.FactInvalid) throw error;
    const { leaseExpiresAt: _none, ...rest } = draft;
    const errorDetails = boundedFaults([...error.faults, ...draft.errorDetails]);
    return { ...rest, outcome: 'error', reasons: [], usedFacts: [], errorDetails };
  }
}

function isLight(facts: readonly Fact[]): boolean {
  return jsonBytes(facts) <= LIMITS.carriedFactsBytes;
}

function withoutAttributes(target: FactTarget): FactTarget {
  return { ...target, attributes: {}, stageAttributes: {} };
}

function withoutFacts(snapshot: Snapshot, faults: Fault[]): SnapshotError {
  const { maxAgeMs: _unused, ...taken } = snapshot;
  return new SnapshotError({ ...taken, facts: [], faults });
}

function notPutAside(error: unknown): Fault {
  const type = error instanceof GateError ? error.type : FailureType.AuditWriteFailed;
  return { type, message: messageOf(error), where: 'facts' };
}
