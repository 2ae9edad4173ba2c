import type { Timers } from '../kernel/timers';

export interface RefreshOptions {
  timers: Timers;
  refresh(): Promise<unknown>;
  intervalMs: number;
  /** 0 to 1: spreads the workers' checks, so that not all ask at once */
  random(): number;
  /** nudges of the source, if it has any; returns how to stop them */
  watch?(onChange: () => void): () => void;
}

const JITTER = 0.1;
/** A file that is being written nudges many times; one check a moment later sees it whole. */
const SETTLE_MS = 100;
/** An interval of nothing would keep a processor busy. */
const SHORTEST_WAIT_MS = 10;

/**
 * Checks for a new release at intervals, when the source nudges and when asked by `now`. A failing check is the release
 * holder's to report; the next one comes all the same.
 */
export function startReleaseRefresh(options: RefreshOptions): { now(): Promise<void>; stop(): void } {
  const { timers } = options;
  let stopChecks: (() => void) | undefined;
  let stopNudge: (() => void) | undefined;
  let stopped = false;
  const check = async (): Promise<void> => {
    await options.refresh().catch(() => undefined);
  };
  const schedule = (): void => {
    if (stopped) return;
    const spread = options.intervalMs * (1 + JITTER * (2 * options.random() - 1));
    const waitMs = Math.max(SHORTEST_WAIT_MS, spread);
    stopChecks = timers.after(waitMs, () => void check().finally(schedule), { background: true });
  };
  schedule();
  const unwatch = options.watch?.(() => {
    if (stopped) return;
    stopNudge?.();
    stopNudge = timers.after(SETTLE_MS, () => void check(), { background: true });
  });
  return {
    now: check,
    stop: () => {
      stopped = true;
      stopChecks?.();
      stopNudge?.();
      unwatch?.();
    },
  };
}
