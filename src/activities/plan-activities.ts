import type { FactTarget } from '../gate/facts/fact';
import type { FactCriterion } from '../plans/execution/fact-criterion';
import type { ExecutionRef } from '../plans/execution/plan-run';
import type { GateLook, GateVerdict } from '../plans/execution/gate-verdict';
import type { CallbackAnswer, CallbackOf } from '../plans/execution/callback';
import type { CriterionLook, EndpointCriterion } from '../plans/execution/criteria';
import type { ExternalLook, ExternalQuestion } from '../plans/execution/external-look';
import type { RunRequest } from '../plans/execution/run-requests';
import type { Followed, RunReport } from '../plans/execution/follow-run';
import type { WhenLook } from '../plans/execution/when';

// Types only: workflows import this file with `import type`.

/** What an execution of a plan does beside the gate. Each is safe to run twice. */
export interface PlanActivities {
  /** Writes what a run tells into the status of its Execution, and into that of the goal. */
  reportPlanRun(execution: ExecutionRef, report: RunReport): Promise<Followed>;
  /** Whether a node that waits for a gate may pass it now; a decision that ends the wait is recorded. */
  lookAtGate(execution: ExecutionRef, look: GateLook): Promise<GateVerdict>;
  /** Has a node wait to be called back; absent where its Execution is gone. Another call makes another token, and the one before is taken no more. */
  openCallback(execution: ExecutionRef, callback: CallbackOf): Promise<{ token: string } | undefined>;
  /** What a node was called back with; absent while nothing was. */
  lookAtCallback(execution: ExecutionRef, callback: CallbackOf): Promise<CallbackAnswer | undefined>;
  /** How far work outside is that a node waits for. */
  lookAtExternal(question: ExternalQuestion): Promise<ExternalLook>;
  /** Whether a node has done what it was to do. */
  lookAtCriterion(criterion: EndpointCriterion): Promise<CriterionLook>;
  /** Whether a fact of the gate is as a node's criterion says, asked of its source now. */
  lookAtFact(target: FactTarget, criterion: FactCriterion): Promise<CriterionLook>;
  /** Whether a node is to run, by its `when` and by what its Execution says of the nodes before it. */
  lookAtWhen(execution: ExecutionRef, node: string): Promise<WhenLook>;
  /** What was asked of a run and is not yet taken up; empty where its Execution is gone. */
  readRunRequests(execution: ExecutionRef): Promise<RunRequest[]>;
}
