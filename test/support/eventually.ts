/** Far longer than anything takes on a machine that does much else meanwhile; below jest's own limit, which names no cause. */
const WITHIN_MS = 300_000;
const PAUSE_MS = 25;

/** Waits until `check` gives something, and returns it; a check that throws is repeated. Fails with `what` after minutes. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = Date.now() + WITHIN_MS;
  let last: unknown;
  for (;;) {
    try {
      const found = await check();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`Expected within ${WITHIN_MS} ms: ${what}${last instanceof Error ? ` (${last.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
