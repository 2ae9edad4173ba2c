import type { Alert } from '../../alerts/alert';
import { faultText } from '../../kernel/fault-text';
import { shortList } from '../../kernel/short-text';
import { FailureType, type Fault } from '../../kernel/failures';
import type { DeploymentStatus, Pause } from './deployment-state';
import { explain, summarise } from './explain';

/** The message about a pause; `endsAtMs` makes it the resolved one. */
export function pauseAlert(pause: Pause, status: DeploymentStatus, endsAtMs?: number): Alert {
  const view: DeploymentStatus = { ...status, pause, state: 'paused' };
  const found = shortList(pause.faults.map(faultText));
  const where = `Deployment ${status.deploymentId}, stage ${status.stage}`;
  return {
    status: endsAtMs === undefined ? 'firing' : 'resolved',
    fingerprint: pause.id,
    name: 'DeploymentPaused',
    deploymentId: status.deploymentId,
    stage: status.stage,
    pauseReason: pause.reason,
    summary: endsAtMs === undefined ? summarise(view) : `${where}: no longer paused`,
    description: (endsAtMs === undefined ? [...found, '', ...explain(view, []).unblock] : found).join('\n'),
    startsAtMs: pause.startedAtMs,
    ...(endsAtMs === undefined ? {} : { endsAtMs }),
    reminder: endsAtMs === undefined ? pause.remindersSent - 1 : pause.remindersSent,
  };
}

/** Why a stage pauses whose action's workers were lost again and again. */
export function workersLostFault(action: string, stage: string, lost: number): Fault {
  return {
    type: FailureType.ActionFailed,
    message: `Expected an answer of the action ${action} of stage ${stage}, but workers die or hang while they run it: ${lost} attempts were lost with their worker`,
  };
}

/** Why a stage pauses after leases that lapsed again and again. */
export function leaseLapsedFault(lapses: number, delayMs: number, limit?: { factId: string; maxAgeMs: number }): Fault {
  const because = limit
    ? `the shortest max age is ${limit.maxAgeMs} ms (${limit.factId})`
    : 'the release kept changing';
  return {
    type: FailureType.LeaseLapsed,
    message: `Expected the action to start while its allow held, but ${lapses} leases lapsed in a row: ${because}, and ${delayMs} ms passed from the decision to the action`,
    ...(limit ? { factId: limit.factId, maxAgeMs: limit.maxAgeMs } : {}),
  };
}
