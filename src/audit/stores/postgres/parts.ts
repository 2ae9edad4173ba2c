import { sql } from 'kysely';
import { sha256 } from '../../../kernel/digest';
import { FailureType } from '../../../kernel/failures';
import { storeError } from '../../../platform/database/store-error';
import { dayOf, type PartStore } from '../../part-store';
import type { AuditDatabase } from './open-audit-database';
import { PARTS_TABLE } from './schema';

/** Few at a time, so that a sweep ends well within the time-out of a statement. */
const BATCH = 50;

/** Parts in PostgreSQL or an embedded PGlite, in a table of their own. One that is put there again counts as new. */
export function createPostgresParts({ db, where }: AuditDatabase): PartStore {
  async function attempt<T>(type: FailureType, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storeError(where, doing, error, type);
    }
  }

  return {
    where,
    put: (bytes) =>
      attempt(FailureType.AuditWriteFailed, `store ${bytes.length} bytes of facts`, async () => {
        const digest = sha256(bytes);
        const { rows } = await sql<{ put_at: Date }>`
          insert into ${sql.table(PARTS_TABLE)} (sha256, content) values (${digest}, ${bytes})
          on conflict (sha256) do update set put_at = now() returning put_at`.execute(db);
        const putAtMs = rows[0]?.put_at.getTime() ?? Date.now();
        return { sha256: digest, bytes: bytes.length, day: dayOf(putAtMs) };
      }),
    get: (ref) =>
      attempt(FailureType.AuditUnavailable, 'read facts that were put aside', async () => {
        const row = await db
          .selectFrom(PARTS_TABLE)
          .select('content')
          .where('sha256', '=', ref.sha256)
          .executeTakeFirst();
        return row?.content;
      }),
    sweep: (beforeMs) =>
      attempt(FailureType.AuditUnavailable, 'delete facts that were put aside', async () => {
        const before = new Date(beforeMs).toISOString();
        for (let deleted = 0; ;) {
          const { rows } = await sql`
            delete from ${sql.table(PARTS_TABLE)} where sha256 in (
              select sha256 from ${sql.table(PARTS_TABLE)} where put_at < ${before}::timestamptz
              limit ${BATCH} for update skip locked
            ) returning sha256`.execute(db);
          deleted += rows.length;
          if (rows.length < BATCH) return deleted;
        }
      }),
  };
}
