import type { PlannedStep, StepResult } from './execution';

/** What comes with each attempt at a step. */
export interface StepCall {
  /** the idempotency key: the same for every attempt at one step */
  key: string;
  /** the step is refused with `RevisionConflict` unless the state has this version */
  onVersion?: string;
  signal: AbortSignal;
}

/** What comes with each attempt at taking a step back. */
export interface UndoCall extends Omit<StepCall, 'onVersion'> {
  /** the key under which the step was done, perhaps */
  stepKey: string;
  /** the version that the step was done on, where it was bound to one */
  stepOnVersion?: string;
  /** what became of the step; undefined where that is not known, and then it must be found out first */
  result?: StepResult;
}

/**
 * Carries out the steps of a domain. An attempt may follow one that was cut off at any moment: under the same key a step takes
 * effect once. Both methods throw GateError, with `retryable: false` where another attempt would fail too.
 */
export interface StepRunner {
  run(step: PlannedStep, call: StepCall): Promise<StepResult>;
  /** Resolves when nothing of the step is left, also where it never took effect. */
  undo(step: PlannedStep, call: UndoCall): Promise<StepResult>;
}
