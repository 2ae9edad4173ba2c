import { isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { CollectRequest, GateDefaults, SnapshotAndDecision } from '../../activities/gate-activities';
import type { RecordedDecision } from '../../gate/deployments/recorded-decision';
import type { AuditRecord } from '../../audit/audit-record';
import { decisionRecord, failureRecord } from '../../gate/decisions/to-audit-record';
import type { Decision } from '../../gate/decisions/decision';
import { FailureType, type Fault } from '../../kernel/failures';
import { maskRecord } from '../../gate/masking/mask-record';
import type { Snapshot, SnapshotFailure } from '../../gate/facts/snapshot';
import { toRecordedDecision } from '../../gate/deployments/recorded-decision';
import { failureType, snapshotFailure, toFault } from './activity-errors';
import { localActivities, remoteActivities } from './activity-proxies';

/** What is recorded before it is known whether the store takes it. */
interface Draft {
  record: AuditRecord;
  decision: Decision;
  maxAgeMs: Record<string, number>;
}

/**
 * One decision: collect, evaluate, record, in this order. Whatever fails becomes a decision of outcome `error`; the only
 * thing thrown is a cancellation.
 *
 * @param record stores the record and returns the one that is in the store
 */
export async function takeDecision(
  request: CollectRequest,
  options: GateDefaults['activities'],
  record: (record: AuditRecord) => Promise<AuditRecord>,
): Promise<RecordedDecision> {
  const draft = await draftDecision(request, options);
  return toRecordedDecision(await record(draft.record), draft.decision, draft.maxAgeMs);
}

async function draftDecision(request: CollectRequest, options: GateDefaults['activities']): Promise<Draft> {
  const { workflowId, runId } = workflowInfo();
  const run = { workflowId, runId };
  try {
    const { snapshot, decision } = await decide(request, options);
    const record = maskRecord(decisionRecord(snapshot, decision, run), decision.mask);
    return { record, decision, maxAgeMs: snapshot.maxAgeMs };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = snapshotFailure(error) ?? unanswered(request, toFault(error, FailureType.FactSourceUnavailable));
    const record = maskRecord(failureRecord(failure, run), failure.mask);
    return { record, decision: errorDecision(failure.faults), maxAgeMs: {} };
  }
}

async function decide(request: CollectRequest, options: GateDefaults['activities']): Promise<SnapshotAndDecision> {
  const { stage } = request.target;
  const snapshot = await remoteActivities(options, 'collectFacts', `facts for ${stage}`).collectFacts(request);
  try {
    return { snapshot, decision: await evaluate(snapshot, options) };
  } catch (error) {
    if (failureType(error) !== FailureType.ReleaseChanged) throw error;
    // Another worker evaluates, and it holds another release: both steps on one worker, so that they cannot differ again.
    return remoteActivities(options, 'collectFacts', `decide ${stage} on one worker`).decide(request);
  }
}

async function evaluate(snapshot: Snapshot, options: GateDefaults['activities']): Promise<Decision> {
  const { stage } = snapshot.target;
  try {
    return await localActivities(`evaluate ${stage}`).evaluatePolicy({ snapshot });
  } catch (error) {
    if (isCancellation(error) || failureType(error) === FailureType.ReleaseChanged) throw error;
  }
  // Too slow for the workflow task, or the worker has trouble: once more as a normal activity, with its own time-out.
  try {
    return await remoteActivities(options, 'evaluatePolicy', `evaluate ${stage}`).evaluatePolicy({ snapshot });
  } catch (error) {
    if (isCancellation(error) || failureType(error) === FailureType.ReleaseChanged) throw error;
    const { mask } = snapshot;
    const decision = errorDecision([toFault(error, FailureType.PolicyEvaluation)]);
    return mask === undefined ? decision : { ...decision, mask };
  }
}

export function errorDecision(faults: Fault[]): Decision {
  return { outcome: 'error', denyReasons: [], faults, evalDurationNs: 0 };
}

/** No worker said what it found: the workflow's own clock and id replace the decision's, recorded like any other. */
function unanswered(request: CollectRequest, fault: Fault): SnapshotFailure {
  return { decisionId: uuid4(), decisionTimeMs: Date.now(), target: request.target, facts: [], faults: [fault] };
}
