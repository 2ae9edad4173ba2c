/** The timers of a process, for modules that are pure and so get them handed in. */
export interface Timers {
  /**
   * Runs `run` once after `ms` milliseconds, however many.
   *
   * @returns how to call it off; nothing happens when it has run
   */
  after(ms: number, run: () => void, options?: TimerOptions): () => void;
}

export interface TimerOptions {
  /** a process that waits for nothing else ends without it @default false */
  background?: boolean;
}

/** The time of a process, for modules that are pure. */
export interface Clock {
  /** epoch milliseconds */
  now(): number;
}

/**
 * What `work` gives, or the error that `late` makes when it has not ended within `ms`. The work itself continues, and
 * what becomes of it then is lost: give it a signal where it can be stopped.
 */
export async function within<T>(
  timers: Timers,
  ms: number,
  work: Promise<T>,
  late: () => Error,
  options?: TimerOptions,
): Promise<T> {
  let callOff = (): void => undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    callOff = timers.after(ms, () => reject(late()), options);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    callOff();
  }
}
