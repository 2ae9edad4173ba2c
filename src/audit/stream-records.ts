import type { AuditReader } from './audit-reader';
import type { AuditQuery, AuditRecord } from './audit-record';

const PAGE = 500;

/**
 * All records that match, page by page: memory stays bounded however many there are. `query.limit` is the most that are
 * given; absent, all.
 */
export async function* streamRecords(
  reader: Pick<AuditReader, 'list'>,
  query: AuditQuery,
): AsyncGenerator<AuditRecord, void, undefined> {
  let left = query.limit ?? Infinity;
  let after = query.after;
  while (left > 0) {
    const limit = Math.min(PAGE, left);
    const page = await reader.list({ ...query, limit, ...(after === undefined ? {} : { after }) });
    yield* page;
    left -= page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    after = { timestamp: last.timestamp, decisionID: last.decisionID };
  }
}
