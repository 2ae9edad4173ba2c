import type { GateProgress } from './gate-progress';
import type { Look } from './recorded-decision';
import type { CompiledBehaviour } from './stage-behaviour';

/** What follows from the newest decision. */
export const NextStep = {
  /** the stage only observes: its action starts whatever was found */
  observe: 'observe',
  /** no decision could be made */
  pause: 'pause',
  /** a decision could be made again, and an operator must say that the deployment may continue */
  awaitOperator: 'await-operator',
  /** the pause is over; what follows then must be asked once more */
  endPause: 'end-pause',
  /** the pause has lasted too long: the deployment ends */
  pauseOver: 'pause-over',
  allow: 'allow',
  wait: 'wait',
  deny: 'deny',
} as const;
export type NextStep = (typeof NextStep)[keyof typeof NextStep];

/** A stage pauses after this many leases that lapsed in a row. */
const LAPSES_BEFORE_PAUSE = 3;

/**
 * What follows from the newest decision, `progress.lastDecision`, which must be there.
 *
 * @param resumed true when an operator's resume asked for this decision
 * @param nowMs epoch milliseconds, the workflow's clock: `giveUpAfter` and `pauseTimeout` are judged against it
 */
export function nextStep(
  progress: GateProgress,
  behaviour: CompiledBehaviour,
  { resumed, nowMs }: { resumed: boolean; nowMs: number },
): NextStep {
  const outcome = progress.lastDecision?.decision.outcome ?? 'error';
  if (behaviour.mode === 'observe') return NextStep.observe;
  const isOver = nowMs >= pauseEndsAtMs(progress, behaviour);
  if (outcome === 'error') return isOver ? NextStep.pauseOver : NextStep.pause;
  if (progress.pause && (behaviour.autoResume || resumed)) return NextStep.endPause;
  if (progress.pause) return isOver ? NextStep.pauseOver : NextStep.awaitOperator;
  if (outcome === 'allow') return NextStep.allow;
  const sinceMs = progress.deniedSinceMs ?? progress.lastDecision?.decisionTimeMs ?? nowMs;
  const isGivenUp = behaviour.giveUpAfterMs !== undefined && nowMs - sinceMs >= behaviour.giveUpAfterMs;
  return behaviour.onDeny === 'fail' || isGivenUp ? NextStep.deny : NextStep.wait;
}

/** What would follow if what a look found were the newest decision. */
export function stepAfterLook(
  progress: GateProgress,
  behaviour: CompiledBehaviour,
  look: Look,
  nowMs: number,
): NextStep {
  const lastDecision = { ...look, decisionId: progress.lastDecision?.decisionId ?? '' };
  return nextStep({ ...progress, lastDecision }, behaviour, { resumed: false, nowMs });
}

/**
 * Whether a step makes what a look found a decision, to be recorded: one that acts, denies for good, or begins a pause.
 * A stage that continues to wait, stays paused, or has only recovered decides nothing.
 */
export function isFollowed(step: NextStep, { pause }: Pick<GateProgress, 'pause'>): boolean {
  if (step === NextStep.pause) return pause === undefined;
  return step !== NextStep.wait && step !== NextStep.awaitOperator;
}

/** When a denial is given up, or a pause is over; Infinity where it is for ever. */
export function givesUpAtMs(progress: GateProgress, behaviour: CompiledBehaviour): number {
  const { pause, deniedSinceMs } = progress;
  if (pause) return pauseEndsAtMs(progress, behaviour);
  const { giveUpAfterMs } = behaviour;
  return deniedSinceMs === undefined || giveUpAfterMs === undefined ? Infinity : deniedSinceMs + giveUpAfterMs;
}

/** When a pause on an error has lasted too long; Infinity without one. An outage of the store of records is none. */
export function pauseEndsAtMs({ pause }: GateProgress, { pauseTimeout }: CompiledBehaviour): number {
  return pause === undefined || pauseTimeout === undefined ? Infinity : pause.startedAtMs + pauseTimeout.afterMs;
}

/** False for a stage that was waiting or paused when it was carried over, or that a lapsed lease paused: it waits first. */
export function asksAtOnce({ pause, deniedSinceMs }: GateProgress): boolean {
  return pause === undefined && deniedSinceMs === undefined;
}

/** When a stage that waits or is paused is decided again: a denial that is given up sooner, at that moment. */
export function nextAskAtMs(progress: GateProgress, behaviour: CompiledBehaviour, nowMs: number): number {
  return Math.min(nowMs + behaviour.recheckEveryMs, givesUpAtMs(progress, behaviour));
}

/** Whether so many leases lapsed in a row that another decision would not help. */
export function lapsesPause({ leaseLapses }: GateProgress): boolean {
  return leaseLapses >= LAPSES_BEFORE_PAUSE;
}
