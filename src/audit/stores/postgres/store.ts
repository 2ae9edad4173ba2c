import { sql } from 'kysely';
import type { AuditDatabase } from './open-audit-database';
import { AUDIT_TABLE, type AuditRow } from './schema';
import { storeError } from '../../../platform/database/store-error';
import { reasonCodesOf } from '../../../kernel/reason-code';
import { FailureType, GateError } from '../../../kernel/failures';
import { AuditDomain, type AuditQuery, type AuditRecord, type AuditStore } from '../../audit-record';
import { isGateRecord, placeOf, scopeOf } from '../../place';
import type { Insertable } from 'kysely';

const DEFAULT_LIMIT = 100;
/** In byte order, as the indexes have it; the database's own collation may order ids in another way. */
const BY_ID = sql`decision_id collate "C"`;
const ORDERED = sql`occurred_at, ${BY_ID}`;

/**
 * The store of record in PostgreSQL or an embedded PGlite; closing it closes the database. A record that was written
 * once is never changed: of two writers under one id the first wins, and both get its record.
 */
export function createPostgresAuditStore(database: AuditDatabase): AuditStore {
  const { db, where } = database;

  async function attempt<T>(type: FailureType, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storeError(where, doing, error, type);
    }
  }
  const reading = <T>(run: () => Promise<T>) => attempt(FailureType.AuditUnavailable, 'read the audit log', run);

  async function get(decisionID: string): Promise<AuditRecord | undefined> {
    const row = await db
      .selectFrom(AUDIT_TABLE)
      .select('record')
      .where('decision_id', '=', decisionID)
      .executeTakeFirst();
    return row && toRecord(row);
  }

  return {
    name: 'postgres',
    record: (record) =>
      attempt(FailureType.AuditWriteFailed, `record ${record.kind} ${record.decisionID}`, async () => {
        // Where another writer's insert under this id is under way, PostgreSQL waits for it to commit or to give up.
        const written = await db
          .insertInto(AUDIT_TABLE)
          .values(toRow(record))
          .onConflict((conflict) => conflict.column('decision_id').doNothing())
          .returning('record')
          .executeTakeFirst();
        if (written !== undefined) return toRecord(written);
        const earlier = await get(record.decisionID);
        if (earlier !== undefined) return earlier;
        throw new GateError(
          FailureType.AuditWriteFailed,
          `Cannot record ${record.kind} ${record.decisionID}: ${where} said that a record stands under this id, but shows none`,
        );
      }),
    get: (decisionID) => reading(() => get(decisionID)),
    list: (query) => reading(() => list(database, query)),
    close: () => database.close(),
  };
}

async function list({ db }: AuditDatabase, query: AuditQuery): Promise<AuditRecord[]> {
  const order = (query.newestFirst ?? true) ? 'desc' : 'asc';
  let select = db.selectFrom(AUDIT_TABLE).select('record');
  const { domain, subject, part } = scopeOf(query);
  const isGate = domain === AuditDomain.gate;
  // The indexes of the other domains hold only rows that have a subject.
  if (domain !== undefined && !isGate) select = select.where('subject', 'is not', null);
  if (domain !== undefined) select = select.where('domain', '=', domain);
  if (subject !== undefined) select = select.where(isGate ? 'deployment_id' : 'subject', '=', toText(subject));
  if (part !== undefined) select = select.where(isGate ? 'stage' : 'part', '=', toText(part));
  if (query.outcome !== undefined) select = select.where('outcome', '=', query.outcome);
  if (query.kind !== undefined) select = select.where('kind', '=', query.kind);
  if (query.policySHA !== undefined) select = select.where('policy_sha', '=', query.policySHA);
  if (query.since !== undefined) select = select.where('occurred_at', '>=', sql<Date>`${query.since}::timestamptz`);
  if (query.until !== undefined) select = select.where('occurred_at', '<', sql<Date>`${query.until}::timestamptz`);
  if (query.reasonCode !== undefined) {
    select = select.where(sql<boolean>`reason_codes @> ${JSON.stringify([query.reasonCode])}::jsonb`);
  }
  if (query.manifestVersion !== undefined) {
    select = select.where('manifest_version', '=', toText(query.manifestVersion));
  }
  if (query.after !== undefined) {
    const { timestamp, decisionID } = query.after;
    const place = sql`(${timestamp}::timestamptz, ${toText(decisionID)} collate "C")`;
    select = select.where(
      order === 'asc' ? sql<boolean>`(${ORDERED}) > ${place}` : sql<boolean>`(${ORDERED}) < ${place}`,
    );
  }
  const rows = await select
    .orderBy('occurred_at', order)
    .orderBy(BY_ID, order)
    .limit(query.limit ?? DEFAULT_LIMIT)
    .execute();
  return rows.map(toRecord);
}

function toRow(record: AuditRecord): Insertable<AuditRow> {
  return {
    decision_id: record.decisionID,
    kind: record.kind,
    ...toPlaceColumns(record),
    occurred_at: record.timestamp,
    outcome: record.outcome ?? null,
    actor: toText(record.actor),
    policy_sha: record.policySHA ?? null,
    config_rev: record.configRev ?? null,
    manifest_version: record.manifestVersion === undefined ? null : toText(record.manifestVersion),
    reason_codes: toJsonb([...new Set(reasonCodesOf(record))]),
    facts: toJsonb(record.usedFacts),
    faults: toJsonb(record.errorDetails),
    record: JSON.stringify(record),
  };
}

/** The gate's rows are as they have always been; those of other domains leave the gate's columns empty. */
function toPlaceColumns(
  record: AuditRecord,
): Pick<Insertable<AuditRow>, 'domain' | 'subject' | 'part' | 'deployment_id' | 'stage'> {
  if (isGateRecord(record)) return { deployment_id: record.deploymentID, stage: record.stage };
  const { domain, subject, part } = placeOf(record);
  return { domain, subject: toText(subject), part: toText(part) };
}

function toRecord(row: { record: string }): AuditRecord {
  return JSON.parse(row.record) as AuditRecord;
}

/** PostgreSQL's text and JSONB hold neither U+0000 nor half a surrogate pair; these copies, for SQL, show U+FFFD there. */
function toText(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}

function toJsonb(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'string') return toText(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, held]) => [toText(key), held]));
  });
}
