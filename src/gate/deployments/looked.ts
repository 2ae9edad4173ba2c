import type { GateRecord } from '../../audit/audit-record';
import { maskRecord } from '../masking/mask-record';
import type { Snapshot, SnapshotFailure } from '../facts/snapshot';
import type { Decision } from '../decisions/decision';
import { decisionRecord, failureRecord, type RunRef } from '../decisions/to-audit-record';

/** What came of collecting and evaluating, before anything is recorded: a decision, or why there is none. */
export type Looked = { snapshot: Snapshot; decision: Decision } | { failure: SnapshotFailure };

/** A decision whose record is still to be written, and what of it the record does not hold. */
export interface DraftDecision {
  /** masked */
  record: GateRecord;
  decision: Decision;
  maxAgeMs: Record<string, number>;
}

/** The record of what was found, masked; the same however often it is made. */
export function draftOf(looked: Looked, run: RunRef): DraftDecision {
  if ('failure' in looked) {
    const { failure } = looked;
    const decision: Decision = { outcome: 'error', denyReasons: [], faults: failure.faults, evalDurationNs: 0 };
    return { record: maskRecord(failureRecord(failure, run), failure.mask), decision, maxAgeMs: {} };
  }
  const { snapshot, decision } = looked;
  const record = maskRecord(decisionRecord(snapshot, decision, run), decision.mask);
  return { record, decision, maxAgeMs: snapshot.maxAgeMs };
}
