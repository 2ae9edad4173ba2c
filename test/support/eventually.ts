/** Far longer than anything takes on a machine that does much else meanwhile; below jest's own limit, which names no cause. */
const WITHIN_MS = 300_000;
/** Between two checks: an eighth of the time waited so far, so that what takes long is not asked after all the while. */
const [SHORTEST_PAUSE_MS, LONGEST_PAUSE_MS] = [25, 250];

/** Waits until `check` gives something, and returns it; a check that throws is repeated. Fails with `what` after minutes. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const begun = Date.now();
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const waitedMs = Date.now() - begun;
    if (waitedMs > WITHIN_MS)
      throw new Error(`Expected within ${WITHIN_MS} ms: ${what}${last instanceof Error ? ` (${last.message})` : ''}`);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, waitedMs / 8));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
