import type { GateRecord } from '../../audit/audit-record';
import { maskRecord } from '../masking/mask-record';
import type { FactTarget } from '../facts/fact';
import type { Snapshot, SnapshotFailure } from '../facts/snapshot';
import type { Decision } from '../decisions/decision';
import { decisionRecord, failureRecord, type RunRef } from '../decisions/to-audit-record';

/** What came of collecting and evaluating, before anything is recorded: a decision, or why there is none. */
export type Looked = { snapshot: Snapshot; decision: Decision } | { failure: SnapshotFailure };

/** A record to be written; with `looked` its facts are elsewhere, and the record is made where they can be had. */
export interface DraftRecord extends GateRecord {
  looked?: Looked;
}

/** A decision whose record is still to be written, and what of it the record does not hold. */
export interface DraftDecision {
  /** masked */
  record: DraftRecord;
  decision: Decision;
  maxAgeMs: Record<string, number>;
}

/** The record of what was found, masked; the same however often it is made. */
export function draftOf(looked: Looked, run: RunRef): DraftDecision {
  if ('failure' in looked) {
    const { record: short, ...failure } = looked.failure;
    const decision: Decision = { outcome: 'error', denyReasons: [], faults: failure.faults, evalDurationNs: 0 };
    const record = short ? ofRun(short, run) : maskRecord(failureRecord(failure, run), failure.mask);
    return { record: failure.part ? { ...record, looked: { failure } } : record, decision, maxAgeMs: {} };
  }
  const { snapshot } = looked;
  const { record: short, ...decision } = looked.decision;
  const record = short ? ofRun(short, run) : maskRecord(decisionRecord(snapshot, decision, run), decision.mask);
  return {
    record: snapshot.part ? { ...record, looked: { snapshot, decision } } : record,
    decision,
    maxAgeMs: snapshot.maxAgeMs,
  };
}

/** The same with the target that it was asked for: results of activities leave its attributes out. */
export function withTarget(looked: Looked, target: FactTarget): Looked {
  if ('failure' in looked) return { failure: { ...looked.failure, target } };
  return { snapshot: { ...looked.snapshot, target }, decision: looked.decision };
}

function ofRun(record: GateRecord, { workflowId, runId }: RunRef): GateRecord {
  return {
    ...record,
    ...(workflowId === undefined ? {} : { workflowID: workflowId }),
    ...(runId === undefined ? {} : { runID: runId }),
  };
}
