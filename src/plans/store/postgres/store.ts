import { sql, type Kysely, type Transaction } from 'kysely';
import type { DomainRecord } from '../../../audit/audit-record';
import { FailureType, GateError } from '../../../kernel/failures';
import type { Timers } from '../../../kernel/timers';
import { createTurns, TurnTimeoutError, type Turns } from '../../../kernel/turns';
import { isLockTimeout, storeError } from '../../../platform/database/store-error';
import { systemTimers } from '../../../platform/timers/system-timers';
import type { PlanObject } from '../../object';
import { compareRevisions } from '../../serving/resource-version';
import type { StoredEvent } from '../../serving/watch-events';
import { stamped } from '../../serving/write-object';
import {
  EventsExpiredError,
  StoreBusyError,
  type KeptEvents,
  type ListQuery,
  type ObjectKey,
  type PlanStore,
  type WriteSession,
} from '../plan-store';
import { PLAN_CHANNEL, type PlanDatabase } from './open-plan-database';
import { ownerRows, type OwnerRow } from './owner-rows';
import type { PlanSchema } from './schema';

/** Of one statement, whose parameters have a limit, and whose time has one too. */
const ROWS_AT_ONCE = 1_000;
/** Of one answer with events: documents may be as large as requests are. */
const EVENT_BYTES_AT_ONCE = 8 * 1024 * 1024;

/**
 * The pool is shared with the audit log, whose statements must not wait for those of plans: one writer, since they wait for one
 * another in any case, and a few readers.
 */
const READERS = 3;
/** Below the 60 seconds that a call may take. */
const WAIT_MS = 30_000;
/** How long one statement waits for another process's transaction: below the time that a statement may take. */
const LOCK_MS = 750;

export interface PlanStoreOptions {
  /** @default those of the system */
  timers?: Timers;
  /** how long a read or a write waits for others, of this and of other processes; @default 30000 */
  waitMs?: number;
}

type Reader = Kysely<PlanSchema>;

/** Plans in PostgreSQL or in an embedded PGlite. Closing it closes the database. */
export function createPostgresPlanStore(
  database: PlanDatabase,
  { timers = systemTimers, waitMs = WAIT_MS }: PlanStoreOptions = {},
): PlanStore {
  const { db, where } = database;
  const writers = createTurns({ timers, atOnce: 1, waitMs });
  const readers = createTurns({ timers, atOnce: READERS, waitMs });
  // An embedded store has one process, whose writers have their turns.
  const isShared = database.listen !== undefined;
  const followers = new Set<() => void>();
  const tell = (): void => followers.forEach((follower) => follower());
  const listening = database.listen?.(PLAN_CHANNEL, tell);

  const asking = async <T>(doing: string, ask: () => Promise<T>, turns: Turns = readers): Promise<T> => {
    try {
      return await turns.take(ask);
    } catch (error) {
      if (error instanceof EventsExpiredError) throw error;
      if (error instanceof TurnTimeoutError || isLockTimeout(error)) {
        const message = `Cannot ${doing}: ${where} was busy for ${waitMs / 1000} seconds; nothing was changed`;
        throw new GateError(FailureType.StoreUnavailable, message, undefined, {
          cause: new StoreBusyError(message, { cause: error }),
        });
      }
      throw storeError(where, doing, error, FailureType.StoreUnavailable);
    }
  };

  /**
   * A transaction that has the lock of all writers; where another process holds it for long, it is asked for again. Writers
   * queue for an advisory lock, since the row's own lock is two of them: one to be the next, and one until the row is free,
   * and `lock_timeout` counts for each anew.
   */
  async function locked<T>(work: (trx: Transaction<PlanSchema>, revision: bigint) => Promise<T>): Promise<T> {
    for (let left = Math.ceil(waitMs / LOCK_MS); ; left -= 1) {
      let isLocked = false;
      try {
        return await db.transaction().execute(async (trx) => {
          if (isShared) {
            await sql`select set_config('lock_timeout', ${`${LOCK_MS}ms`}, true)`.execute(trx);
            await sql`select pg_advisory_xact_lock('plan_store'::regclass::oid::bigint)`.execute(trx);
          }
          const { rows } = await sql<{ revision: string }>`
            select revision::text as revision from plan_store for update`.execute(trx);
          isLocked = true;
          return work(trx, BigInt(rows[0]!.revision));
        });
      } catch (error) {
        if (isLocked || !isLockTimeout(error) || left <= 1) throw error;
      }
    }
  }

  return {
    async write<T>(change: (session: WriteSession) => Promise<T>) {
      let thrown: { error: unknown } | undefined;
      const write = async (): Promise<T> => {
        try {
          return await locked(async (trx, revision) => {
            const session = withStoreErrors(openSession(trx, revision), (error) =>
              storeError(where, 'write plans', error, FailureType.StoreUnavailable),
            );
            const done = await change(session).catch((error: unknown) => {
              // Not a failure of the store, unless it says so itself.
              if (!(error instanceof GateError)) thrown = { error };
              throw error;
            });
            await session.finish();
            return done;
          });
        } catch (error) {
          if (thrown !== undefined) return undefined as never;
          throw error;
        }
      };
      const result = await asking('write plans', write, writers);
      if (thrown !== undefined) throw thrown.error;
      tell();
      return result;
    },
    get: (key) => asking('read plans', () => getObject(db, key)),
    list: (query) =>
      asking('list plans', () =>
        // One snapshot: an object and the revision that it is listed at belong together.
        db
          .transaction()
          .setIsolationLevel('repeatable read')
          .execute(async (trx) => ({ revision: await revisionIn(trx), items: await listObjects(trx, query) })),
      ),
    revision: () => asking('read the revision of plans', () => revisionIn(db)),
    eventsAfter: (revision, limit) => asking('read events of plans', () => eventsAfter(db, revision, limit)),
    follow(onNews) {
      // Each follower is one, even if the same function follows twice.
      const follower = (): void => onNews();
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    async prune(keep) {
      for (let all = 0; ;) {
        const gone = await asking('prune events of plans', () => locked((trx) => pruneSome(trx, keep)), writers);
        all += gone;
        if (gone < ROWS_AT_ONCE) return all;
      }
    },
    waitingRecords: (limit) =>
      asking('read waiting records of plans', async () => {
        const rows = await db.selectFrom('plan_records_waiting').select('record').orderBy('seq').limit(limit).execute();
        return rows.map(({ record }) => JSON.parse(record) as DomainRecord);
      }),
    delivered: (decisionIDs) =>
      asking('confirm records of plans', async () => {
        if (decisionIDs.length === 0) return;
        await db
          .deleteFrom('plan_records_waiting')
          .where('decision_id', 'in', [...decisionIDs])
          .execute();
      }),
    async close() {
      followers.clear();
      await listening?.close();
      await database.close();
    },
  };
}

/**
 * Within a transaction that has the lock that all writers take, so that revisions become visible in their order.
 *
 * @param first the revision of the last write
 */
function openSession(trx: Transaction<PlanSchema>, first: bigint): WriteSession & { finish(): Promise<void> } {
  let last = first;
  const records: DomainRecord[] = [];
  const events: Omit<EventRow, 'written_ms'>[] = [];

  async function store(type: StoredEvent['type'], object: PlanObject, before?: PlanObject): Promise<PlanObject> {
    last += 1n;
    const revision = String(last);
    // A deleted object is told of as it was last.
    const stored = type === 'DELETED' ? object : stamped(object, revision);
    const { kind, metadata } = stored;
    const { namespace, name } = metadata;
    const document = JSON.stringify(stored);
    if (type === 'DELETED') {
      await trx
        .deleteFrom('plan_objects')
        .where((eb) => eb.and({ kind, namespace, name }))
        .execute();
    } else {
      const row = { kind, namespace, name, revision, document };
      const owners = ownerRows(stored);
      const ownersBefore = before === undefined ? [] : ownerRows(before);
      const insert = trx.insertInto('plan_objects').values(row);
      await (
        type === 'ADDED'
          ? insert
          : insert.onConflict((at) => at.columns(['kind', 'namespace', 'name']).doUpdateSet({ revision, document }))
      ).execute();
      if (!isSameOwners(owners, ownersBefore)) {
        if (ownersBefore.length > 0) {
          await trx
            .deleteFrom('plan_owners')
            .where((eb) => eb.and({ kind, namespace, name }))
            .execute();
        }
        for (let at = 0; at < owners.length; at += ROWS_AT_ONCE) {
          const rows = owners.slice(at, at + ROWS_AT_ONCE);
          await trx.insertInto('plan_owners').values(rows).execute();
        }
      }
    }
    const labels = before?.metadata.labels;
    const labels_before = labels === undefined ? null : JSON.stringify(labels);
    events.push({ revision, type, document, labels_before });
    return stored;
  }

  return {
    get: (key) => getObject(trx, key),
    list: (query) => listObjects(trx, query),
    owned: async ({ namespace, uid }) => {
      const rows = await trx
        .selectFrom('plan_owners as owned')
        .innerJoin('plan_objects as object', (join) =>
          join
            .onRef('object.kind', '=', 'owned.kind')
            .onRef('object.namespace', '=', 'owned.namespace')
            .onRef('object.name', '=', 'owned.name'),
        )
        .select('object.document')
        .where('owned.namespace', '=', namespace)
        .where('owned.owner_uid', '=', uid)
        .orderBy('owned.kind')
        .orderBy('owned.name')
        .execute();
      return rows.map(({ document }) => JSON.parse(document) as PlanObject);
    },
    create: (object) => store('ADDED', object),
    update: (object, before) => store('MODIFIED', object, before),
    remove: async (object) => void (await store('DELETED', object)),
    record: (record) => void records.push(record),
    async finish() {
      for (let at = 0; at < records.length; at += ROWS_AT_ONCE) {
        const rows = records.slice(at, at + ROWS_AT_ONCE).map((record) => ({
          decision_id: record.decisionID,
          record: JSON.stringify(record),
        }));
        await trx
          .insertInto('plan_records_waiting')
          .values(rows)
          // The same change twice, such as a deletion that is asked for again, has one record.
          .onConflict((at) => at.column('decision_id').doNothing())
          .execute();
      }
      if (last === first) return;
      // At the end, so that their time is the commit's.
      const written_at = sql<Date>`clock_timestamp()`;
      for (let at = 0; at < events.length; at += ROWS_AT_ONCE) {
        const rows = events.slice(at, at + ROWS_AT_ONCE).map((event) => ({ ...event, written_at }));
        await trx.insertInto('plan_events').values(rows).execute();
      }
      const bytes = events.reduce((sum, { document }) => sum + Buffer.byteLength(document), 0);
      await sql`
        update plan_store set revision = ${String(last)}::bigint, event_bytes = event_bytes + ${bytes}::bigint`.execute(
        trx,
      );
      // Sent with the commit, and only then.
      await sql`select pg_notify(${PLAN_CHANNEL}, ${String(last)})`.execute(trx);
    },
  };
}

/** A session whose failures say that they are the store's, so that no caller takes them for its own. */
function withStoreErrors<T extends WriteSession>(session: T, toError: (error: unknown) => GateError): T {
  const telling =
    <A extends unknown[], R>(ask: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      ask(...args).catch((error: unknown) => {
        throw toError(error);
      });
  const { get, list, owned, create, update, remove } = session;
  return {
    ...session,
    get: telling(get),
    list: telling(list),
    owned: telling(owned),
    create: telling(create),
    update: telling(update),
    remove: telling(remove),
  };
}

function isSameOwners(ones: readonly OwnerRow[], others: readonly OwnerRow[]): boolean {
  return ones.length === others.length && ones.every(({ owner_uid }, at) => owner_uid === others[at]!.owner_uid);
}

/** Names come from paths, and PostgreSQL has no text with U+0000: no object is called so. */
const isNoName = (text = ''): boolean => text.includes('\u0000');

async function getObject(db: Reader, { kind, namespace, name }: ObjectKey): Promise<PlanObject | undefined> {
  if (isNoName(namespace) || isNoName(name)) return undefined;
  const row = await db
    .selectFrom('plan_objects')
    .select('document')
    .where((eb) => eb.and({ kind, namespace, name }))
    .executeTakeFirst();
  return row && (JSON.parse(row.document) as PlanObject);
}

/** Pages, so that no statement takes long; the transaction around them shows all as they were at one moment. */
async function listObjects(db: Reader, { after, limit = Infinity, ...query }: ListQuery): Promise<PlanObject[]> {
  if (isNoName(query.namespace)) return [];
  const objects: PlanObject[] = [];
  for (let from = after; ;) {
    const rows = Math.min(ROWS_AT_ONCE, limit - objects.length);
    const page = await pageOfObjects(db, { ...query, limit: rows, ...(from === undefined ? {} : { after: from }) });
    for (const object of page) objects.push(object);
    if (page.length < rows || objects.length >= limit) return objects;
    from = page.at(-1)!.metadata;
  }
}

async function pageOfObjects(db: Reader, { kind, namespace, after, limit }: ListQuery): Promise<PlanObject[]> {
  let query = db.selectFrom('plan_objects').select('document').where('kind', '=', kind);
  if (namespace !== undefined) query = query.where('namespace', '=', namespace);
  if (after !== undefined) query = query.where(sql<boolean>`(namespace, name) > (${after.namespace}, ${after.name})`);
  query = query.orderBy('namespace').orderBy('name');
  if (limit !== undefined) query = query.limit(limit);
  return (await query.execute()).map(({ document }) => JSON.parse(document) as PlanObject);
}

async function revisionIn(db: Reader): Promise<string> {
  const { rows } = await sql<{ revision: string }>`select revision::text as revision from plan_store`.execute(db);
  return rows[0]!.revision;
}

interface EventRow {
  revision: string;
  type: StoredEvent['type'];
  document: string;
  labels_before: string | null;
  written_ms: number;
}

/** @returns how many went, `ROWS_AT_ONCE` at most */
async function pruneSome(trx: Transaction<PlanSchema>, { events, bytes }: KeptEvents): Promise<number> {
  // Revisions follow one another, so so many of them are as many events at most.
  const { rows } = await sql<{ bound: string }>`
    with oldest as (select revision, document from plan_events order by revision limit ${ROWS_AT_ONCE}),
      summed as (select revision, sum(octet_length(document)) over (order by revision) as gone from oldest)
    select greatest(
        pruned,
        least(revision - ${events}, (select max(revision) from oldest)),
        case when event_bytes > ${bytes}::bigint then (
          select coalesce(min(summed.revision) filter (where event_bytes - gone <= ${bytes}::bigint), max(summed.revision))
          from summed
        ) end
      )::text as bound
    from plan_store`.execute(trx);
  const { bound } = rows[0]!;
  const gone = await sql<{ count: number; bytes: string }>`
    with gone as (delete from plan_events where revision <= ${bound}::bigint returning octet_length(document) as bytes)
    select count(*)::int as count, coalesce(sum(bytes), 0)::text as bytes from gone`.execute(trx);
  const [{ count, bytes: freed } = { count: 0, bytes: '0' }] = gone.rows;
  await sql`
    update plan_store set pruned = ${bound}::bigint, event_bytes = greatest(0, event_bytes - ${freed}::bigint)`.execute(
    trx,
  );
  return count;
}

async function eventsAfter(db: Reader, revision: string, limit: number): Promise<StoredEvent[]> {
  const { rows } = await sql<EventRow>`
    select revision::text as revision, type, document, labels_before,
      (extract(epoch from written_at) * 1000)::float8 as written_ms
    from (
      select *, sum(octet_length(document)) over (order by revision) - octet_length(document) as bytes_before
      from (
        select * from plan_events where revision > ${revision}::bigint order by revision limit ${limit}
      ) as next
    ) as measured
    where bytes_before < ${EVENT_BYTES_AT_ONCE} order by measured.revision`.execute(db);
  // After the read: what was pruned before it is missing from it, what is pruned later is not.
  const { rows: store } = await sql<{ pruned: string }>`select pruned::text as pruned from plan_store`.execute(db);
  const { pruned } = store[0]!;
  if (compareRevisions(revision, pruned) < 0) throw new EventsExpiredError(revision, pruned);
  return rows.map(({ revision: at, type, document, labels_before, written_ms }) => ({
    revision: at,
    type,
    object: JSON.parse(document) as PlanObject,
    length: document.length,
    writtenMs: written_ms,
    ...(labels_before === null ? {} : { labelsBefore: JSON.parse(labels_before) as Record<string, string> }),
  }));
}
