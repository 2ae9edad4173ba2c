import type { GateState } from './deployment-state';

/** What Temporal lists of a workflow: its own status, and the gate's search attributes. */
export interface Listed {
  /** Temporal's word, such as `RUNNING` */
  execution: string;
  /** the search attribute `DecisionOutcome` */
  outcome?: string;
  /** the search attribute `PauseReason` */
  pauseReason?: string;
  /** the type of the failure that the workflow failed with */
  failureType?: string;
}

/**
 * The state of a deployment as far as Temporal lists it: the same words as its status. A worker knows more of one that runs:
 * what is denied may only be observed.
 */
export function shownState({ execution, outcome, pauseReason, failureType }: Listed): GateState {
  switch (execution) {
    case 'RUNNING':
      if (pauseReason !== undefined) return 'paused';
      if (outcome === 'deny') return 'waiting';
      return outcome === 'allow' || outcome === 'override' ? 'acting' : 'deciding';
    case 'COMPLETED':
      return 'done';
    case 'CANCELLED':
    case 'CANCELED':
      return 'aborted';
    case 'TERMINATED':
      return 'terminated';
    case 'TIMED_OUT':
      return 'timed-out';
    default:
      if (failureType === 'DeploymentDenied') return 'denied';
      return failureType === 'DeploymentAborted' ? 'aborted' : 'failed';
  }
}
