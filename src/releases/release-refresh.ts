export interface RefreshOptions {
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
/** An interval of nothing would keep a processor busy, and beyond 2^31 - 1 a timer fires at once. */
const SHORTEST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/**
 * Checks for a new release at intervals, when the source nudges and when asked by `now`. A failing check is the release
 * holder's to report; the next one comes all the same.
 */
export function startReleaseRefresh(options: RefreshOptions): { now(): Promise<void>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let nudge: NodeJS.Timeout | undefined;
  let stopped = false;
  const check = async (): Promise<void> => {
    await options.refresh().catch(() => undefined);
  };
  const schedule = (): void => {
    if (stopped) return;
    const spread = options.intervalMs * (1 + JITTER * (2 * options.random() - 1));
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, spread));
    timer = setTimeout(() => void check().finally(schedule), waitMs);
    timer.unref();
  };
  schedule();
  const unwatch = options.watch?.(() => {
    if (stopped) return;
    clearTimeout(nudge);
    nudge = setTimeout(() => void check(), SETTLE_MS);
    nudge.unref();
  });
  return {
    now: check,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      clearTimeout(nudge);
      unwatch?.();
    },
  };
}
