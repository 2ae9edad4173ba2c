import { sql } from 'kysely';
import type { Repetition } from '../../../kernel/repeat';
import type { AuditLogger } from '../../audit-log';
import type { AuditDatabase } from './open-audit-database';
import { AUDIT_TABLE } from './schema';
import { startSweeps } from '../start-sweeps';

/** Small enough that a batch ends well within the time-out of a statement, and holds up no record that is being written. */
const BATCH = 500;

export interface RetentionOptions {
  /** from a record's time to its end */
  retentionMs: number;
  logger: AuditLogger;
  /** between the end of a sweep and the next @default an hour */
  everyMs?: number;
  /** @default Date.now */
  nowMs?: () => number;
}

/**
 * Deletes the records of before `beforeMs`, oldest first, a batch at a time. Several workers may sweep at once: each takes
 * rows that no other has, and a batch that is interrupted is undone as a whole.
 *
 * @returns how many were deleted
 */
export async function sweepRecords({ db }: AuditDatabase, beforeMs: number, batch = BATCH): Promise<number> {
  const before = new Date(beforeMs).toISOString();
  for (let deleted = 0; ;) {
    const { rows } = await sql<{ decision_id: string }>`
      delete from ${sql.table(AUDIT_TABLE)} where decision_id in (
        select decision_id from ${sql.table(AUDIT_TABLE)} where occurred_at < ${before}::timestamptz
        order by occurred_at, decision_id collate "C" limit ${batch} for update skip locked
      ) returning decision_id`.execute(db);
    deleted += rows.length;
    if (rows.length < batch) return deleted;
  }
}

/** Sweeps now and again until it is stopped. */
export function startRetention(database: AuditDatabase, options: RetentionOptions): Repetition {
  const { retentionMs, logger, everyMs, nowMs = Date.now } = options;
  return startSweeps({
    sweep: () => sweepRecords(database, nowMs() - retentionMs),
    what: 'Records beyond audit.retention',
    logger,
    ...(everyMs === undefined ? {} : { everyMs }),
  });
}
