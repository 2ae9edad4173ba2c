import { BoundedMap } from '../../kernel/bounded-map';
import type { Clock } from '../../kernel/timers';

/** Callers whose use is remembered at once; there are not that many tokens. */
const CALLERS = 10_000;

/**
 * Counts calls: `perSecond` of each caller on average, and as many at once after a second of rest.
 *
 * @returns whether this call is within the quota; one that is not does not count
 */
export function createRateQuota(perSecond: number, clock: Clock): (key: string) => boolean {
  const used = new BoundedMap<string, { calls: number; atMs: number }>(CALLERS);
  return (key) => {
    const nowMs = clock.now();
    const before = used.get(key);
    // A clock that was set back forgives nothing.
    const passedMs = before === undefined ? 0 : Math.max(0, nowMs - before.atMs);
    const calls = before === undefined ? 0 : Math.max(0, before.calls - (passedMs * perSecond) / 1_000);
    const isWithin = calls + 1 <= perSecond;
    used.set(key, { calls: isWithin ? calls + 1 : calls, atMs: nowMs });
    return isWithin;
  };
}
