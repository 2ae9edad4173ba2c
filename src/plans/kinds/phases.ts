// Without the schemas, which workflow code has no use for.

/** Phases of a node of an execution. `Blocked` waits for somebody: a gate's reviewers, an operator. */
export const NodePhase = {
  Pending: 'Pending',
  Running: 'Running',
  Blocked: 'Blocked',
  Succeeded: 'Succeeded',
  Failed: 'Failed',
  Skipped: 'Skipped',
  Cancelled: 'Cancelled',
} as const;
export type NodePhase = (typeof NodePhase)[keyof typeof NodePhase];

/** Phases of an execution. `Blocked` waits for somebody, and nothing else of it can go on. */
export const ExecutionPhase = {
  Pending: 'Pending',
  Running: 'Running',
  Blocked: 'Blocked',
  Succeeded: 'Succeeded',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
} as const;
export type ExecutionPhase = (typeof ExecutionPhase)[keyof typeof ExecutionPhase];
