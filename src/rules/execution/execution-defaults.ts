/** How executions behave. Milliseconds. */
export interface ExecutionDefaults {
  /** of each attempt at a step that has no time of its own */
  stepTimeoutMs: number;
  /** a worker that acts and has not beaten for this long is taken for dead */
  heartbeatTimeoutMs: number;
  /** at a step, before what was done is taken back */
  stepAttempts: number;
  /** at taking one step back, before people are told */
  rollbackAttempts: number;
  /** how often taking back is tried again while people are told of it */
  rollbackRetryMs: number;
  /** evaluations of a state that keeps changing, at most */
  maxGenerations: number;
  remindAfterMs: number;
  remindAtMostMs: number;
  /** an execution continues as new beyond this many events */
  historyLimit?: number;
  /** put on every alert */
  labels: Readonly<Record<string, string>>;
}
