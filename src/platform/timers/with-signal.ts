import { systemTimers } from './system-timers';

export interface SignalSources {
  /** aborts with a TimeoutError after so many milliseconds; without it no time is set */
  timeoutMs?: number;
  /** any of these aborts it too, with its own reason */
  signals?: readonly AbortSignal[];
}

/**
 * Runs `run` under a signal that aborts when the time is over, when another signal does, and at the latest when `run` has
 * ended, so that nothing it left behind continues.
 *
 * It stands in for `AbortSignal.any([…, AbortSignal.timeout(ms)])`, which Node may collect before it fires: such a signal is
 * referred to weakly by the timer and by its sources, and the time-out is lost when no one else holds it. Here the timer and
 * the sources hold the controller until the end.
 */
export async function withSignal<T>(
  { timeoutMs, signals = [] }: SignalSources,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const expire = (): void => controller.abort(timeoutError(timeoutMs));
  const callOff = timeoutMs === undefined ? undefined : systemTimers.after(timeoutMs, expire, { background: true });
  const listened = signals.map((signal) => {
    const stop = (): void => controller.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return () => signal.removeEventListener('abort', stop);
  });
  try {
    return await run(controller.signal);
  } finally {
    callOff?.();
    for (const unlisten of listened) unlisten();
    controller.abort();
  }
}

/** Whether a signal of `withSignal` aborted because its time was over. */
export function isTimedOut({ aborted, reason }: AbortSignal): boolean {
  return aborted && (reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
}

/** What `work` gives, or the signal's reason as soon as it aborts; `work` itself goes on unwatched then. */
export async function untilAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

function timeoutError(timeoutMs: number | undefined): DOMException {
  return new DOMException(`timeout: not done within ${timeoutMs} ms`, 'TimeoutError');
}
