import type { Timers } from './timers';

/** A turn that did not come in time: the work was not begun. */
export class TurnTimeoutError extends Error {
  override readonly name = 'TurnTimeoutError';
  constructor(readonly waitedMs: number) {
    super(`Others were busy for ${waitedMs / 1000} seconds`);
  }
}

export interface TurnsOptions {
  timers: Timers;
  /** works under way at most */
  atOnce: number;
  /** of one work, until it begins */
  waitMs: number;
}

/** Works that wait for one another, first come, first served. */
export interface Turns {
  /** @throws TurnTimeoutError when the turn does not come in time; else what `work` throws */
  take<T>(work: () => Promise<T>): Promise<T>;
}

/** Lets a number of works be under way at a time; the others wait, and each for a bounded time. */
export function createTurns({ timers, atOnce, waitMs }: TurnsOptions): Turns {
  let free = atOnce;
  const waiting = new Set<() => void>();

  async function begin(): Promise<void> {
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        callOff();
        resolve();
      };
      const callOff = timers.after(waitMs, () => {
        waiting.delete(start);
        reject(new TurnTimeoutError(waitMs));
      });
      waiting.add(start);
    });
  }

  /** The turn is handed on: none that comes now is before those that wait. */
  function end(): void {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return {
    async take(work) {
      await begin();
      try {
        return await work();
      } finally {
        end();
      }
    },
  };
}
