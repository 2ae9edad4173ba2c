import type { AuditReader } from './audit-reader';
import type { AuditQuery, AuditRecord } from './audit-record';
import { streamRecords } from './stream-records';

/**
 * A record bears the time of its decision and is written some moments later, so that its place may be before one that
 * was seen already. Each look therefore begins this long before the one before it.
 */
const OVERLAP_MS = 120_000;

/** Sees each record once, as they come. Two looks at once are not allowed. */
export interface Follower {
  /** The newest that match, up to `count`, oldest first; from here on only what comes after them is new. */
  begin(reader: AuditReader, nowMs: number, count: number): Promise<AuditRecord[]>;
  /**
   * What is new since the last look, oldest first. A look that fails midway has given what it gave: the next one continues
   * from there.
   */
  look(reader: AuditReader, nowMs: number): AsyncGenerator<AuditRecord, void, undefined>;
}

/** @param query filters alone: order, limits and times are the follower's own */
export function createFollower(
  query: Omit<AuditQuery, 'since' | 'until' | 'after' | 'limit' | 'newestFirst'>,
): Follower {
  /** times of the records that the next look may meet again, by id */
  const seen = new Map<string, number>();
  let lookedMs = 0;

  const window = (reader: AuditReader) =>
    streamRecords(reader, {
      ...query,
      since: new Date(lookedMs - OVERLAP_MS).toISOString(),
      newestFirst: false,
    });
  const remember = ({ decisionID, timestamp }: AuditRecord) => seen.set(decisionID, Date.parse(timestamp));

  return {
    async begin(reader, nowMs, count) {
      lookedMs = nowMs;
      for await (const record of window(reader)) remember(record);
      const newest = count === 0 ? [] : await reader.list({ ...query, limit: count, newestFirst: true });
      newest.forEach(remember);
      return newest.reverse();
    },
    async *look(reader, nowMs) {
      for await (const record of window(reader)) {
        if (seen.has(record.decisionID)) continue;
        remember(record);
        yield record;
      }
      // A clock that was set back must not move the window past records to come.
      lookedMs = nowMs;
      for (const [id, timeMs] of seen) if (timeMs < lookedMs - OVERLAP_MS) seen.delete(id);
    },
  };
}
