/** What the reports of one execution write at most, in bytes a second: each writes the whole object, and an event with it. */
const BYTES_PER_SECOND = 128 * 1024;
/** Up to this size of the object each change is told as soon as the one before is written. */
const SMALL_BYTES = 16 * 1024;
const LONGEST_MS = 15_000;

/** Of the nodes in one report as JSON, at most: it passes through Temporal's history. A single node may be larger. */
export const REPORT_BYTES = 256 * 1024;

/**
 * How long a run rests before its next report, in milliseconds, so that a large plan does not write itself again for each node.
 * What people wait for is told without a rest.
 *
 * @param bytes of the Execution as JSON
 */
export function restAfterReport(bytes: number): number {
  return bytes <= SMALL_BYTES ? 0 : Math.min(LONGEST_MS, Math.ceil((bytes / BYTES_PER_SECOND) * 1_000));
}
