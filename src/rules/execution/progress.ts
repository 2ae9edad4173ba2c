import type { Fault } from '../../kernel/failures';
import {
  ExecutionEnd,
  ExecutionState,
  StepStatus,
  type ExecutionPlan,
  type ExecutionProgress,
  type ExecutionStatus,
  type StepProgress,
  type StepResult,
} from './execution';

/** Before anything is known. */
export function newProgress(): ExecutionProgress {
  return { state: ExecutionState.planning, generation: 0, steps: [] };
}

/** A plan has been made, perhaps in place of one of an older state. */
export function withPlan(progress: ExecutionProgress, plan: ExecutionPlan): ExecutionProgress {
  const steps = plan.steps.map((): StepProgress => ({ status: StepStatus.pending }));
  return { ...progress, state: ExecutionState.running, plan, steps };
}

/** The state changed before anything was done: the policies are evaluated again. */
export function planAgain({ plan: _plan, begun: _begun, ...progress }: ExecutionProgress): ExecutionProgress {
  return { ...progress, state: ExecutionState.planning, generation: progress.generation + 1, steps: [] };
}

export function stepBegins(progress: ExecutionProgress, index: number): ExecutionProgress {
  return withStep(progress, index, { status: StepStatus.running });
}

export function stepDone(progress: ExecutionProgress, index: number, result: StepResult): ExecutionProgress {
  return withStep(progress, index, { status: StepStatus.done, result });
}

/** @param mayHaveActed it may have taken effect all the same: what failed may be the answer alone */
export function stepFailed(
  progress: ExecutionProgress,
  index: number,
  fault: Fault,
  mayHaveActed: boolean,
): ExecutionProgress {
  return withStep(progress, index, {
    status: StepStatus.failed,
    fault,
    ...(mayHaveActed ? {} : { undone: true as const }),
  });
}

/** Nothing more is done; what was done is taken back. */
export function stopped(
  progress: ExecutionProgress,
  why: NonNullable<ExecutionProgress['stopped']>,
): ExecutionProgress {
  return { ...progress, state: ExecutionState.rolling_back, stopped: progress.stopped ?? why };
}

/** A step that failed stays failed when nothing of it is left; one that was done, or may have been, is rolled back. */
export function stepUndone(progress: ExecutionProgress, index: number): ExecutionProgress {
  const step = progress.steps[index]!;
  const status = step.status === StepStatus.failed ? StepStatus.failed : StepStatus.rolled_back;
  return withStep(progress, index, { ...step, status, undone: true });
}

/** Taking a step back was refused; the next attempt must be another call. */
export function undoRefused(progress: ExecutionProgress, index: number): ExecutionProgress {
  const step = progress.steps[index]!;
  return withStep(progress, index, { ...step, undoRounds: (step.undoRounds ?? 0) + 1 });
}

export function undoFailed(progress: ExecutionProgress, index: number, fault: Fault): ExecutionProgress {
  return withStep(progress, index, { ...progress.steps[index]!, status: StepStatus.rollback_failed, fault });
}

/** Indices of the steps that must be taken back, the last one first. */
export function toUndo({ steps }: ExecutionProgress): number[] {
  const touched: readonly StepStatus[] = [StepStatus.done, StepStatus.running, StepStatus.failed];
  return steps.flatMap(({ status, undone }, index) => (touched.includes(status) && !undone ? [index] : [])).reverse();
}

/** The next step to do; undefined when all are done. */
export function nextStep({ steps }: ExecutionProgress): number | undefined {
  const index = steps.findIndex(({ status }) => status === StepStatus.pending || status === StepStatus.running);
  return index < 0 ? undefined : index;
}

/** Nothing is left to do or to take back. */
export function ended(progress: ExecutionProgress): ExecutionProgress {
  return { ...progress, state: endOf(progress) };
}

function endOf({ steps, stopped: why }: ExecutionProgress): ExecutionState {
  if (why === undefined) return ExecutionState.done;
  if (steps.some(({ status }) => status === StepStatus.rollback_failed)) return ExecutionState.rollback_failed;
  if (steps.some(({ status }) => status === StepStatus.rolled_back)) return ExecutionState.rolled_back;
  return why.by === 'fault' ? ExecutionState.failed : ExecutionState.cancelled;
}

const ENDS: readonly ExecutionState[] = Object.values(ExecutionEnd);

/** Whether it has done what it was to do, or ended otherwise; nothing more is told of it. */
export function hasEnded(state: ExecutionState): state is ExecutionEnd {
  return ENDS.includes(state);
}

/** A dry run ends with its plan. */
export function isEnd(state: ExecutionState): boolean {
  return state === ExecutionState.planned || hasEnded(state);
}

/** In one sentence. */
export function summariseExecution({ id, state, steps, pause, stopped: why }: ExecutionStatus): string {
  const done = steps.filter(({ status }) => status === StepStatus.done).length;
  const all = steps.length === 1 ? '1 step' : `${steps.length} steps`;
  const some = state === ExecutionState.planned ? `${all} to do` : `${done} of ${all} done`;
  // One that was stopped before it had a plan may have had something to do.
  const counted = steps.length > 0 ? `, ${some}` : why === undefined ? ', nothing to do' : '';
  const paused = pause === undefined ? '' : `; paused: ${pause.faults[0]?.message ?? pause.reason}`;
  const because = why === undefined ? '' : `; stopped: ${why.fault.message}`;
  return `Execution ${id} is ${state}${counted}${because}${paused}`;
}

function withStep(progress: ExecutionProgress, index: number, step: StepProgress): ExecutionProgress {
  return { ...progress, steps: progress.steps.map((other, at) => (at === index ? step : other)) };
}
