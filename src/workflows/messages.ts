import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { DeploymentStatus, Explanation, OperatorReply } from '../gate/deployments/deployment-state';
import type { OperatorCall } from '../kernel/operator-call';

// The names on the wire are public. A signal and an Update may share one: the Temporal UI sends the signal.

/** Collects again and continues after a pause. The validator refuses a call that does not fit the state. */
export const resumeUpdate = defineUpdate<OperatorReply, [OperatorCall]>('resume');
/** Ends a deployment; an action in progress is compensated. */
export const abortUpdate = defineUpdate<OperatorReply, [OperatorCall]>('abort');
/** Allows the present stage in spite of its decision, for the time that the configuration says. */
export const overrideUpdate = defineUpdate<OperatorReply, [OperatorCall]>('override');

/** Pauses a deployment on demand, until its time is over or an operator resumes; an action under way is not cancelled. */
export const pauseUpdate = defineUpdate<OperatorReply, [OperatorCall]>('pause');

/** As the Update `resume`, without an answer: a call that does not fit becomes a note of `explain`. */
export const resumeSignal = defineSignal<[unknown]>('resume');
/** As the Update `abort`, without an answer. */
export const abortSignal = defineSignal<[unknown]>('abort');

/** As the Update `override`, without an answer. */
export const overrideSignal = defineSignal<[unknown]>('override');

/** As the Update `pause`, without an answer. */
export const pauseSignal = defineSignal<[unknown]>('pause');

/** Whom a query asks: the id of a deployment, and of an execution of a plan one of the stages that are open. */
export type GateQuestion = string | { deploymentId: string; stage?: string };

/** State, stages, pause and newest decision. In a workflow with several gates the argument names the deployment. */
export const statusQuery = defineQuery<DeploymentStatus, [question?: GateQuestion]>('status');
/** Why the deployment waits, and what would unblock it. The argument is that of `status`. */
export const explainQuery = defineQuery<Explanation, [question?: GateQuestion]>('explain');
