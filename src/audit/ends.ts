// The words of records of kind `acted` and `ended`.

/**
 * How a deployment ended: the final states of a deployment. Public: in `details.end` of its record, and a label of the
 * metrics. A workflow that is cancelled in Temporal aborts its deployment.
 */
export const DeploymentEnd = {
  done: 'done',
  denied: 'denied',
  aborted: 'aborted',
  failed: 'failed',
  /** the workflow was terminated in Temporal, which it is not told */
  terminated: 'terminated',
  /** a time-out of the workflow itself, which it is not told either */
  timedOut: 'timed-out',
} as const;
export type DeploymentEnd = (typeof DeploymentEnd)[keyof typeof DeploymentEnd];

/** How a stage's action ended. Public, as `details.result` of its record and as a label. */
export const ACTED_RESULTS = ['done', 'failed', 'aborted', 'cancelled'] as const;
export type ActedResult = (typeof ACTED_RESULTS)[number];
