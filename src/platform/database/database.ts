import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect, type Migration, type PostgresPool } from 'kysely';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, makePrivateTree } from '../files/private-folder';
import { makeFreshData } from './fresh-data';
import { listenPostgres } from './listen';
import { lockFolder, type FolderLock } from './lock';
import { migrate } from './migrate';
import { removeOwnerFiles, writeAddress, writeToken } from './owner-files';
import { createPglitePool } from './pglite-pool';
import { createPostgresPool, describePostgres, type PostgresTimeouts } from './postgres-pool';
import { storeError } from './store-error';
import { AUDIT_STORE, type StoreKind } from './store-kind';

/** Either a PostgreSQL URL, or the folder of an embedded PGlite. Secrets are resolved already. */
export type DatabaseSettings =
  | {
      url: string;
      timeouts?: Partial<PostgresTimeouts>;
      /** connections at most; @default 5 */
      maxConnections?: number;
    }
  | { folder: string };

/** An open store; `Schema` is of the domain whose tables these are. */
export interface Database<Schema> {
  readonly db: Kysely<Schema>;
  /** which store this is, for people, without secrets */
  readonly where: string;
  /** present when this process owns an embedded store: how other commands reach it */
  readonly owner?: StoreOwner;
  /** hears what other processes say on a channel; absent for an embedded store, whose one process is the only writer */
  listen?(channel: string, onNews: () => void): { close(): Promise<void> };
  /** waits for statements under way; gives an embedded store's folder back */
  close(): Promise<void>;
}

export interface StoreOwner {
  /** what the owner's HTTP server asks of those who read the audit log */
  readonly token: string;
  /** says where the owner's HTTP server answers, e.g. `http://127.0.0.1:9100` */
  publishAddress(url: string): Promise<void>;
}

/** Where PGlite keeps its files, below the store's folder. */
export const EMBEDDED_DATA = 'pgdata';

/**
 * Three attempts to record must fit into half a workflow task's time-out (10 s by default), see the gate's rules on local
 * activities. So a server that hangs is given up early; a longer outage is the pause's business.
 */
const TIMEOUTS: PostgresTimeouts = { connectMs: 1_500, statementMs: 1_500 };
/** A step of the schema may rewrite a large table, or wait for another worker that does. */
const MIGRATION_STATEMENT_MS = 60_000;

/**
 * Opens the store and brings its schema up to date.
 *
 * What an embedded store has confirmed survives the end of the process, however sudden; PGlite does not flush to the disk
 * itself, so a power failure may cost the last moments. Whoever cannot have that uses PostgreSQL.
 *
 * @param migrations every step of the schema, by name, as `migrate` takes them
 * @param kind whose tables these are
 * @throws GateError ConfigInvalid when the URL is invalid, when another process holds the folder, or when the store belongs
 *   to a newer version; the kind's failure (AuditUnavailable for the audit store) when it cannot be reached or refuses
 */
export function openDatabase<Schema>(
  settings: DatabaseSettings,
  migrations: Migrations,
  kind: StoreKind = AUDIT_STORE,
): Promise<Database<Schema>> {
  return 'url' in settings ? openPostgres(settings, migrations, kind) : openEmbedded(settings.folder, migrations, kind);
}

type Migrations = Readonly<Record<string, Migration>>;

async function openPostgres<Schema>(
  settings: Extract<DatabaseSettings, { url: string }>,
  migrations: Migrations,
  kind: StoreKind,
): Promise<Database<Schema>> {
  const where = describePostgres(settings.url, kind);
  const timeouts = { ...TIMEOUTS, ...settings.timeouts };
  const forMigration = { ...timeouts, statementMs: Math.max(timeouts.statementMs, MIGRATION_STATEMENT_MS) };
  const setUp = overPool<Schema>(createPostgresPool(settings.url, forMigration, 1));
  try {
    await migrate(setUp, migrations, kind);
  } catch (error) {
    throw storeError(where, `open the ${kind.called}`, error, kind.failure);
  } finally {
    await setUp.destroy();
  }
  const db = overPool<Schema>(createPostgresPool(settings.url, timeouts, settings.maxConnections ?? 5));
  return {
    db,
    where,
    listen: (channel, onNews) => listenPostgres(settings.url, channel, onNews),
    close: once(() => db.destroy()),
  };
}

async function openEmbedded<Schema>(
  folder: string,
  migrations: Migrations,
  kind: StoreKind,
): Promise<Database<Schema>> {
  const where = `the embedded store in ${folder}`;
  let lock: FolderLock | undefined;
  let db: Kysely<Schema> | undefined;
  try {
    await makePrivateFolder(folder);
    const held = (lock = await lockFolder(folder, kind));
    const token = await writeToken(folder);
    const opened = (db = overPool<Schema>(createPglitePool(await openPglite(folder))));
    await migrate(opened, migrations, kind);
    return {
      db,
      where,
      owner: { token, publishAddress: (url) => writeAddress(folder, held.holder, url) },
      close: once(async () => {
        await opened.destroy();
        await giveBack(folder, held);
      }),
    };
  } catch (error) {
    await db?.destroy().catch(() => undefined);
    if (lock !== undefined) await giveBack(folder, lock);
    throw storeError(where, `open the ${kind.called}`, error, kind.failure);
  }
}

/**
 * The data appear under their name complete or not at all: a process killed while it makes them would leave a folder that
 * never opens again.
 */
async function openPglite(folder: string): Promise<PGlite> {
  const data = join(folder, EMBEDDED_DATA);
  if (!existsSync(data)) {
    const unfinished = `${data}.new`;
    await rm(unfinished, { recursive: true, force: true });
    await makeFreshData(unfinished);
    await rename(unfinished, data);
  }
  const opened = await PGlite.create(data);
  // It makes some files for everyone to read. Those that it makes later are below a folder that no one else can enter.
  await makePrivateTree(data);
  return opened;
}

/** The files first: once the lock is gone they may be the next owner's. */
async function giveBack(folder: string, lock: FolderLock): Promise<void> {
  await removeOwnerFiles(folder);
  await lock.release();
}

function overPool<Schema>(pool: PostgresPool): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}
