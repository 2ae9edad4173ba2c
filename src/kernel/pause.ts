import { FailureType, type Fault } from './failures';

/**
 * What a pause on demand is called where an error pause has its failure type: in the search attribute `PauseReason`, in
 * alerts, metrics and records. Public.
 */
export const PAUSED_BY_OPERATOR = 'PausedByOperator';

/** One pause: begins with what went wrong, ends by an operator, by itself, or with the work. */
export interface Pause {
  /** also the alert's fingerprint; an operator's call names it */
  id: string;
  /** failure type */
  reason: string;
  /** what is wrong now, at least one */
  faults: Fault[];
  /** epoch milliseconds */
  startedAtMs: number;
  /** messages sent so far, the first included */
  remindersSent: number;
  nextReminderAtMs: number;
  /** nothing is wrong any more; only an operator is awaited */
  recovered: boolean;
}

export interface ReminderIntervals {
  remindAfterMs: number;
  remindAtMostMs: number;
}

/** @param faults why; at least one, the first one's type is the pause's reason */
export function beginPause(id: string, nowMs: number, faults: Fault[], intervals: ReminderIntervals): Pause {
  return {
    id,
    reason: faults[0]?.type ?? FailureType.PolicyEvaluation,
    faults,
    startedAtMs: nowMs,
    remindersSent: 1,
    nextReminderAtMs: nextReminderAtMs(nowMs, 1, intervals),
    recovered: false,
  };
}

/** The pause after one more message. */
export function reminded<P extends Pause>(pause: P, nowMs: number, intervals: ReminderIntervals): P {
  const remindersSent = pause.remindersSent + 1;
  return { ...pause, remindersSent, nextReminderAtMs: nextReminderAtMs(nowMs, remindersSent, intervals) };
}

/** The same pause with what is found now: a pause keeps one id, and so one alert. */
export function stillPaused<P extends Pause>(pause: P, faults: Fault[]): P {
  return { ...pause, faults, reason: faults[0]?.type ?? pause.reason, recovered: false };
}

/**
 * When the next message about a pause is due: the first interval after the last message, doubled with each one sent, up
 * to `remindAtMostMs`. So a pause of months sends a message a day, not thousands.
 *
 * @param messagesSent at least 1: the first message of the pause
 */
export function nextReminderAtMs(
  lastMessageAtMs: number,
  messagesSent: number,
  { remindAfterMs, remindAtMostMs }: ReminderIntervals,
): number {
  const doublings = Math.min(Math.max(0, messagesSent - 1), 30);
  return lastMessageAtMs + Math.min(remindAtMostMs, remindAfterMs * 2 ** doublings);
}
