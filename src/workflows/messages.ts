import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { DeploymentStatus, Explanation, OperatorReply } from '../gate/deployments/deployment-state';
import type { OperatorCall } from '../kernel/operator-call';

// The names on the wire are public. A signal and an Update may share one: the Temporal UI sends the signal.

export const resumeUpdate = defineUpdate<OperatorReply, [OperatorCall]>('resume');
export const abortUpdate = defineUpdate<OperatorReply, [OperatorCall]>('abort');
export const overrideUpdate = defineUpdate<OperatorReply, [OperatorCall]>('override');

export const resumeSignal = defineSignal<[unknown]>('resume');
export const abortSignal = defineSignal<[unknown]>('abort');

export const statusQuery = defineQuery<DeploymentStatus>('status');
export const explainQuery = defineQuery<Explanation>('explain');
