import type { GateProgress } from './gate-progress';
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
 * @param nowMs epoch milliseconds, the workflow's clock: `giveUpAfter` is judged against it
 */
export function nextStep(
  progress: GateProgress,
  behaviour: CompiledBehaviour,
  { resumed, nowMs }: { resumed: boolean; nowMs: number },
): NextStep {
  const outcome = progress.lastDecision?.decision.outcome ?? 'error';
  if (behaviour.mode === 'observe') return NextStep.observe;
  if (outcome === 'error') return NextStep.pause;
  if (progress.pause) return behaviour.autoResume || resumed ? NextStep.endPause : NextStep.awaitOperator;
  if (outcome === 'allow') return NextStep.allow;
  const sinceMs = progress.deniedSinceMs ?? progress.lastDecision?.decisionTimeMs ?? nowMs;
  const isGivenUp = behaviour.giveUpAfterMs !== undefined && nowMs - sinceMs >= behaviour.giveUpAfterMs;
  return behaviour.onDeny === 'fail' || isGivenUp ? NextStep.deny : NextStep.wait;
}

/** False for a stage that was waiting or paused when it was carried over, or that a lapsed lease paused: it waits first. */
export function asksAtOnce({ pause, deniedSinceMs }: GateProgress): boolean {
  return pause === undefined && deniedSinceMs === undefined;
}

/** When a stage that waits or is paused is decided again: a denial that is given up sooner, at that moment. */
export function nextAskAtMs(progress: GateProgress, behaviour: CompiledBehaviour, nowMs: number): number {
  const { pause, deniedSinceMs } = progress;
  const { recheckEveryMs, giveUpAfterMs } = behaviour;
  const givesUpAtMs =
    pause || deniedSinceMs === undefined || giveUpAfterMs === undefined ? Infinity : deniedSinceMs + giveUpAfterMs;
  return Math.min(nowMs + recheckEveryMs, givesUpAtMs);
}

/** Whether so many leases lapsed in a row that another decision would not help. */
export function lapsesPause({ leaseLapses }: GateProgress): boolean {
  return leaseLapses >= LAPSES_BEFORE_PAUSE;
}
