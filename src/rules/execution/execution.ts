import type { Fault } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { Pause } from '../../kernel/pause';

/** What is to be executed. */
export interface ExecutionQuestion {
  /** names of policies; absent: all that apply to the operation */
  policies?: readonly string[];
  operation?: string;
  /** id of one subject, such as a shard; absent: every one of the state */
  subject?: string;
}

/** The very revision of a policy that an execution acts for. */
export interface ExecutedPolicy {
  policyId: string;
  name: string;
  type: string;
  revision: number;
}

/** One concrete thing to do, with what a runner of the domain needs. */
export interface PlannedStep {
  /** one of the domain's own, such as a move */
  kind: string;
  /** names of the policies that ask for it, at least one */
  policies: readonly string[];
  settings: JsonObject;
  /** what it does and why, in one sentence */
  sentence: string;
  /** of one attempt; @default that of the settings */
  timeoutMs?: number;
}

/** What policies come to on one state, with all that it rests on. */
export interface ExecutionPlan {
  /** the policies that act, in the order of evaluation */
  policies: readonly ExecutedPolicy[];
  /** revision of all policies together */
  setRevision: number;
  /** SHA-256 of the state as canonical JSON */
  stateDigest: string;
  /** what the source calls that state */
  stateVersion?: string;
  /** the source refuses a step on a state of another version; absent where it cannot */
  guardsVersion?: boolean;
  /** epoch milliseconds */
  observedAtMs: number;
  /** epoch milliseconds */
  decidedAtMs: number;
  steps: readonly PlannedStep[];
  /** why what was asked for cannot be done, or not all of it, and which metrics were missing */
  refusals: readonly string[];
  /** subjects for which a policy asks for steps, or for what cannot be done; by policy, of those that were asked */
  unmet: Readonly<Record<string, number>>;
  /** measures of the state before, and as predicted after the steps, by name */
  impact?: { before: Measures; predicted: Measures };
}

/** Numbers by the name of what they measure. */
export type Measures = Readonly<Record<string, number>>;

export const StepStatus = {
  pending: 'pending',
  running: 'running',
  done: 'done',
  failed: 'failed',
  rolled_back: 'rolled_back',
  rollback_failed: 'rollback_failed',
} as const;
export type StepStatus = (typeof StepStatus)[keyof typeof StepStatus];

/** What became of a step. */
export interface StepResult {
  /** false where nothing had to be done */
  changed: boolean;
  summary: string;
  /** what taking it back needs to know */
  details?: JsonObject;
}

export interface StepProgress {
  status: StepStatus;
  result?: StepResult;
  /** why it failed, or could not be taken back */
  fault?: Fault;
  /** nothing of it is left */
  undone?: true;
  /** how often taking it back was refused for good: each round has an idempotency key of its own */
  undoRounds?: number;
}

/** How executions end that do something. */
export const ExecutionEnd = {
  done: 'done',
  /** nothing was done, or all that was done is taken back */
  failed: 'failed',
  rolled_back: 'rolled_back',
  /** something that was done could not be taken back */
  rollback_failed: 'rollback_failed',
  /** ended on request before anything was done */
  cancelled: 'cancelled',
} as const;
export type ExecutionEnd = (typeof ExecutionEnd)[keyof typeof ExecutionEnd];

export const ExecutionState = {
  /** evaluates policies on a state */
  planning: 'planning',
  /** planned for a dry run: nothing will be done */
  planned: 'planned',
  running: 'running',
  /** takes steps back */
  rolling_back: 'rolling_back',
  ...ExecutionEnd,
} as const;
export type ExecutionState = (typeof ExecutionState)[keyof typeof ExecutionState];

/** Everything that an execution knows of itself; also what continue-as-new carries. */
export interface ExecutionProgress {
  state: ExecutionState;
  /** how often the policies were evaluated: again when the state changed before anything was done */
  generation: number;
  /** this evaluation of it is in the journal */
  begun?: true;
  plan?: ExecutionPlan;
  /** as many as the plan has */
  steps: readonly StepProgress[];
  /** why it does not go on: a fault of a step or of the planning, or an operator's abort */
  stopped?: { by: 'fault' | 'abort' | 'cancellation'; fault: Fault };
  /** measures as found after the execution */
  found?: Measures;
  pause?: Pause;
  outage?: Pause;
}

/** What the query `status` of an execution answers. */
export interface ExecutionStatus extends Omit<ExecutionProgress, 'pause' | 'outage'> {
  id: string;
  question: ExecutionQuestion;
  actor: string;
  reason: string;
  /** the outage of the store before any other pause */
  pause?: Pause;
}
