import type { AuditReader } from './audit-reader';
import type { AuditRecord } from './audit-record';

const SHORTEST_BEGINNING = 8;
const NEWEST = 10_000;

/** The records that an id or its beginning can mean. */
export interface FoundRecords {
  /** exactly one for a whole id that exists; several for an ambiguous beginning */
  found: AuditRecord[];
  /** how many of the newest records are searched for a beginning */
  searched: number;
}

/**
 * The record with this id, else those of the newest 10,000 whose id begins with it. A beginning has at least 8 characters.
 *
 * @throws what the reader throws
 */
export async function findRecords(reader: AuditReader, id: string): Promise<FoundRecords> {
  const record = await reader.get(id);
  if (record !== undefined) return { found: [record], searched: NEWEST };
  if (id.length < SHORTEST_BEGINNING) return { found: [], searched: NEWEST };
  const newest = await reader.list({ limit: NEWEST, newestFirst: true });
  return { found: newest.filter(({ decisionID }) => decisionID.startsWith(id)), searched: NEWEST };
}
