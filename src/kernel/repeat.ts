import type { Timers } from './timers';

export interface RepeatOptions {
  timers: Timers;
  /** from the end of one time to the next */
  everyMs: number;
  act(): Promise<void>;
  /** told of a failure, unless it was stopped; the next time comes all the same. Absent: `act` deals with its own */
  onFailure?(error: unknown): void;
}

/** What is done again and again until it is stopped. */
export interface Repetition {
  /** resolves when nothing is under way any more */
  stop(): Promise<void>;
}

/** Does something now and again and again; the wait between two times does not keep the process alive. */
export function repeat({ timers, everyMs, act, onFailure }: RepeatOptions): Repetition {
  let stopped = false;
  let callOff = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  const run = (): void => {
    underWay = act()
      .catch((error: unknown) => {
        if (!stopped) onFailure?.(error);
      })
      .finally(() => {
        if (!stopped) callOff = timers.after(everyMs, run, { background: true });
      });
  };
  run();
  return {
    stop: async () => {
      stopped = true;
      callOff();
      await underWay;
    },
  };
}
