// The words of records of kind `acted` and `ended`.

/** How a deployment ended. Public: in `details.end` of its record, and a label of the metrics. */
export const DeploymentEnd = {
  done: 'done',
  denied: 'denied',
  aborted: 'aborted',
  failed: 'failed',
  /** the workflow was cancelled in Temporal */
  cancelled: 'cancelled',
  /** the workflow was ended in Temporal without a word to it */
  terminated: 'terminated',
} as const;
export type DeploymentEnd = (typeof DeploymentEnd)[keyof typeof DeploymentEnd];

/** How a stage's action ended. Public, as `details.result` of its record and as a label. */
export const ACTED_RESULTS = ['done', 'failed', 'aborted', 'cancelled'] as const;
export type ActedResult = (typeof ACTED_RESULTS)[number];
