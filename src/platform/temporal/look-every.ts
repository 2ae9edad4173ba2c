import type { Timers } from '../../kernel/timers';

export interface LookEveryOptions {
  timers: Timers;
  /** from the end of one look to the next */
  everyMs: number;
  look(): Promise<void>;
  /** told of a look that failed, unless it was stopped; the next one is made all the same */
  onFailure(error: unknown): void;
}

/** Looks again and again, the first time at once. */
export interface Looking {
  /** resolves when no look is under way any more */
  stop(): Promise<void>;
}

export function lookEvery({ timers, everyMs, look, onFailure }: LookEveryOptions): Looking {
  let stopped = false;
  let callOff = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  const run = (): void => {
    underWay = look()
      .catch((error: unknown) => {
        if (!stopped) onFailure(error);
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
