import { Context } from '@temporalio/activity';
import { BoundedMap } from '../kernel/bounded-map';
import { FailureType, GateError } from '../kernel/failures';
import { within } from '../kernel/timers';
import { systemTimers } from '../platform/timers/system-timers';

/** Before the end of an attempt's time, so that its answer still counts. */
const MARGIN_MS = 150;
/** Records whose last failure is remembered. */
const REMEMBERED = 1_000;

/**
 * Has an attempt to write a record fail by itself shortly before Temporal ends it, with why the store failed last:
 * an attempt that is cut off says only that its time was up. What it writes after that is adopted by the next one.
 *
 * @returns runs `act` for the record of this id; @throws what `act` throws, or GateError AuditWriteFailed
 */
export function createAnswerInTime(): <T>(decisionId: string, act: () => Promise<T>) => Promise<T> {
  const failures = new BoundedMap<string, { error: unknown }>(REMEMBERED);
  return async (decisionId, act) => {
    const leftMs = timeLeftMs();
    const late = (): Error => {
      const last = failures.get(decisionId)?.error;
      if (last instanceof Error) return last;
      return new GateError(FailureType.AuditWriteFailed, 'Expected the store to answer in time, got no answer');
    };
    try {
      if (leftMs === undefined) return await act();
      // Temporal would end it before it could say why.
      if (leftMs <= 0) throw late();
      return await within(systemTimers, leftMs, act(), late);
    } catch (error) {
      failures.set(decisionId, { error });
      throw error;
    }
  };
}

/** Milliseconds until an attempt must answer; undefined where it has no time-out. */
function timeLeftMs(): number | undefined {
  const { scheduledTimestampMs, scheduleToCloseTimeoutMs, startToCloseTimeoutMs } = Context.current().info;
  const now = Date.now();
  const ends = [
    ...(scheduleToCloseTimeoutMs ? [scheduledTimestampMs + scheduleToCloseTimeoutMs] : []),
    ...(startToCloseTimeoutMs ? [now + startToCloseTimeoutMs] : []),
  ];
  if (ends.length === 0) return undefined;
  return Math.min(...ends) - now - MARGIN_MS;
}
