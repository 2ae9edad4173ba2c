/** How long to wait for something that may be slow: for as long as it makes progress. */
export interface Patience {
  /** whether nothing has changed for too long */
  isOver(): boolean;
}

/**
 * A slow machine needs more time and a hanging program does nothing: a deadline that every sign of progress moves tells them
 * apart, and one from the start does not.
 *
 * @param stillMs how long nothing may change
 * @param sign of progress: whatever differs from the last time, such as the size of a log
 */
export function createPatience(stillMs: number, sign: () => unknown, nowMs: () => number = Date.now): Patience {
  let last = sign();
  let sinceMs = nowMs();
  return {
    isOver: () => {
      const now = sign();
      if (now !== last) sinceMs = nowMs();
      last = now;
      return nowMs() - sinceMs >= stillMs;
    },
  };
}
