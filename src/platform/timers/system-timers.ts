import type { Clock, Timers } from '../../kernel/timers';

/** Node fires a longer timer at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** This process's own timers; one of months waits in steps. */
export const systemTimers: Timers = {
  after(ms, run, { background = false } = {}) {
    let leftMs = ms;
    let timer: NodeJS.Timeout;
    const wait = (): void => {
      const stepMs = Math.min(leftMs, LONGEST_MS);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? wait : run, stepMs);
      if (background) timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};

export const systemClock: Clock = { now: () => Date.now() };
