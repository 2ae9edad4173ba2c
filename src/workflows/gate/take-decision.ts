import { isCancellation, uuid4, workflowInfo } from '@temporalio/workflow';
import type { CollectRequest, GateDefaults, SnapshotAndDecision } from '../../activities/gate-activities';
import type { RecordedDecision } from '../../gate/deployments/recorded-decision';
import type { AuditRecord } from '../../audit/audit-record';
import type { Decision } from '../../gate/decisions/decision';
import { FailureType, type Fault } from '../../kernel/failures';
import type { Snapshot, SnapshotFailure } from '../../gate/facts/snapshot';
import { draftOf, withTarget, type Looked } from '../../gate/deployments/looked';
import { toRecordedDecision } from '../../gate/deployments/recorded-decision';
import { failureType, snapshotFailure, toFault } from './activity-errors';
import { localActivities, remoteActivities, startsNoLocalActivities } from './activity-proxies';

/**
 * Collects and evaluates; `recordLooked` then makes it a decision. Whatever fails becomes a look of outcome `error`; the
 * only thing thrown is a cancellation.
 */
export async function takeLook(request: CollectRequest, options: GateDefaults['activities']): Promise<Looked> {
  try {
    return withTarget(await decide(request, options), request.target);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const fault = (): Fault => toFault(error, FailureType.FactSourceUnavailable);
    return withTarget({ failure: snapshotFailure(error) ?? unanswered(request, fault()) }, request.target);
  }
}

/**
 * The decision that a look came to, recorded under the look's id and time.
 *
 * @param record stores the record and returns the one that is in the store
 */
export async function recordLooked(
  looked: Looked,
  record: (record: AuditRecord) => Promise<AuditRecord>,
): Promise<RecordedDecision> {
  const { workflowId, runId } = workflowInfo();
  const draft = draftOf(looked, { workflowId, runId });
  return toRecordedDecision(await record(draft.record), draft.decision, draft.maxAgeMs);
}

async function decide(request: CollectRequest, options: GateDefaults['activities']): Promise<SnapshotAndDecision> {
  const { stage } = request.target;
  const taken = await remoteActivities(options, 'collectFacts', `facts for ${stage}`).collectFacts(request);
  const snapshot = { ...taken, target: request.target };
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
    // Facts that were put aside take longer than a workflow task may be held.
    if (snapshot.part === undefined && !startsNoLocalActivities())
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

function errorDecision(faults: Fault[]): Decision {
  return { outcome: 'error', denyReasons: [], faults, evalDurationNs: 0 };
}

/** No worker said what it found: the workflow's own clock and id replace the decision's, recorded like any other. */
function unanswered(request: CollectRequest, fault: Fault): SnapshotFailure {
  return { decisionId: uuid4(), decisionTimeMs: Date.now(), target: request.target, facts: [], faults: [fault] };
}
