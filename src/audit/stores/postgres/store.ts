import { sql } from 'kysely';
import type { AuditDatabase } from './open-audit-database';
import { createPostgresParts } from './parts';
import { AUDIT_TABLE, type AuditRow } from './schema';
import { storeError } from '../../../platform/database/store-error';
import { toJsonb, toText } from '../../../platform/database/stored-text';
import { reasonCodesOf } from '../../../kernel/reason-code';
import { FailureType, GateError } from '../../../kernel/failures';
import { AuditDomain, type AuditQuery, type AuditRecord, type AuditStore } from '../../audit-record';
import { isGateRecord, placeOf, scopeOf } from '../../place';
import type { Insertable, Selectable } from 'kysely';
import { isJsonObject } from '../../../kernel/json';

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

  const rowsOf = (decisionID: string): Promise<RecordRow[]> =>
    db.selectFrom(AUDIT_TABLE).select(['decision_id', 'record']).where('decision_id', '=', decisionID).execute();

  /** A record to continue with: one that was damaged is an error. */
  async function get(decisionID: string): Promise<AuditRecord | undefined> {
    const [row] = await rowsOf(decisionID);
    return row && toRecord(row);
  }

  return {
    name: 'postgres',
    parts: createPostgresParts(database),
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
          `Cannot record ${record.kind} ${record.decisionID}: ${where} said that its id is taken, but shows no record`,
        );
      }),
    get: (decisionID) => reading(async () => (await readRows(database, await rowsOf(decisionID)))[0]),
    list: (query) => reading(() => list(database, query)),
    close: () => database.close(),
  };
}

async function list(database: AuditDatabase, query: AuditQuery): Promise<AuditRecord[]> {
  const { db } = database;
  const order = (query.newestFirst ?? true) ? 'desc' : 'asc';
  let select = db.selectFrom(AUDIT_TABLE).select(['decision_id', 'record']);
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
  return readRows(database, rows);
}

interface RecordRow {
  decision_id: string;
  record: string;
}

/** Records in the order of their rows; of one that was damaged what its columns tell, marked, so that it hides no other. */
async function readRows({ db }: AuditDatabase, rows: readonly RecordRow[]): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (const row of rows) {
    const read = tryRead(row);
    if ('record' in read) {
      records.push(read.record);
      continue;
    }
    const columns = await db
      .selectFrom(AUDIT_TABLE)
      .selectAll()
      .where('decision_id', '=', row.decision_id)
      .executeTakeFirst();
    // Gone in between: retention took it.
    if (columns !== undefined) records.push(ofColumns(columns, read.why));
  }
  return records;
}

function tryRead(row: RecordRow): { record: AuditRecord } | { why: string } {
  try {
    const record: unknown = JSON.parse(row.record);
    if (isJsonObject(record)) return { record: record as unknown as AuditRecord };
    return { why: 'expected a JSON object' };
  } catch (error) {
    return { why: (error as Error).message };
  }
}

function ofColumns(row: Selectable<AuditRow>, why: string): AuditRecord {
  const { domain, deployment_id: deploymentID, stage, subject, part } = row;
  const place = domain === AuditDomain.gate ? { deploymentID, stage } : { domain, subject, part };
  return {
    schemaVersion: 1,
    decisionID: row.decision_id,
    kind: row.kind,
    ...place,
    timestamp: row.occurred_at.toISOString(),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
    reasons: [],
    errorDetails: row.faults,
    usedFacts: row.facts,
    ...(row.policy_sha === null ? {} : { policySHA: row.policy_sha }),
    ...(row.config_rev === null ? {} : { configRev: row.config_rev }),
    ...(row.manifest_version === null ? {} : { manifestVersion: row.manifest_version }),
    actor: row.actor,
    damaged: [`its column record cannot be read: ${why}`],
  } as unknown as AuditRecord;
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
