import { BoundedMap } from '../../kernel/bounded-map';

/** Says which lines are to be written: of one that repeats the first, and later how often it came again. */
export interface Repetitions {
  /**
   * @param key what makes two lines the same
   * @returns how many were left out since the last one that was written, 0 for a first one; undefined: leave it out
   */
  count(key: string): number | undefined;
}

interface Repeated {
  writtenAtMs: number;
  leftOut: number;
}

const KEPT = 1_000;
const FORGOTTEN_AFTER = 2;

/**
 * A line that repeats is written once, and again at most every `everyMs` with the number that was left out. After twice
 * that time without it, it counts as new.
 *
 * @param nowMs epoch milliseconds
 */
export function createRepetitions({ everyMs, nowMs }: { everyMs: number; nowMs(): number }): Repetitions {
  const known = new BoundedMap<string, Repeated & { seenAtMs: number }>(KEPT);
  return {
    count(key) {
      const now = nowMs();
      const before = known.get(key);
      if (before === undefined || now - before.seenAtMs >= everyMs * FORGOTTEN_AFTER) {
        known.set(key, { writtenAtMs: now, seenAtMs: now, leftOut: 0 });
        return 0;
      }
      if (now - before.writtenAtMs < everyMs) {
        known.set(key, { ...before, seenAtMs: now, leftOut: before.leftOut + 1 });
        return undefined;
      }
      known.set(key, { writtenAtMs: now, seenAtMs: now, leftOut: 0 });
      return before.leftOut + 1;
    },
  };
}
