import type { PostgresPool } from 'kysely';
import { Pool, type PoolClient } from 'pg';
import { FailureType, GateError } from '../../kernel/failures';
import { isAnswerOfServer } from './store-error';
import { AUDIT_STORE, type StoreKind } from './store-kind';

export interface PostgresTimeouts {
  /** to a connection that is ready for a statement */
  connectMs: number;
  /** of one statement, measured here: a server that hangs cannot prolong it */
  statementMs: number;
}

/**
 * The parts of a PostgreSQL URL that may be shown to people.
 *
 * @returns e.g. `PostgreSQL at db.example:5432/gate`
 * @throws GateError ConfigInvalid when it is not such a URL; the message does not repeat it, as it may hold a password
 */
export function describePostgres(url: string, { setting }: StoreKind = AUDIT_STORE): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol) || parsed.hostname === '') {
    const found = parsed === undefined ? 'something that is no URL' : `a ${parsed.protocol}// URL`;
    throw new GateError(
      FailureType.ConfigInvalid,
      `Expected ${setting}.url to be postgres://user:password@host:port/database, got ${found}`,
    );
  }
  const database = parsed.pathname.slice(1) || decodeURIComponent(parsed.username);
  return `PostgreSQL at ${parsed.hostname}:${parsed.port || '5432'}/${database}`;
}

/**
 * A pool of PostgreSQL connections that lets no caller wait longer than its time-outs and drops each connection that failed
 * in any other way than by an answer of the server. Kept, a connection whose statement timed out would hold up whatever
 * is asked of it next. Idle connections do not keep the process alive.
 */
export function createPostgresPool(url: string, timeouts: PostgresTimeouts, max: number): PostgresPool {
  const pool = new Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: timeouts.connectMs,
    query_timeout: timeouts.statementMs,
    application_name: 'planning-engine',
    keepAlive: true,
    allowExitOnIdle: true,
  });
  // An idle connection that breaks (the server restarts) has already left the pool; unheard, the event ends the process.
  pool.on('error', () => undefined);
  return {
    connect: async () => guard(await pool.connect()),
    end: () => pool.end(),
  };
}

type KyselyClient = Awaited<ReturnType<PostgresPool['connect']>>;

/** Kysely knows a client by its identity, so each has one guard for life. */
const guards = new WeakMap<PoolClient, KyselyClient>();

function guard(client: PoolClient): KyselyClient {
  const known = guards.get(client);
  if (known !== undefined) return known;
  let broken = false;
  const guarded = {
    async query(sql: unknown, parameters?: readonly unknown[]): Promise<unknown> {
      try {
        return await client.query(sql as string, parameters as unknown[]);
      } catch (error) {
        if (!isAnswerOfServer(error)) broken = true;
        throw error;
      }
    },
    release: () => client.release(broken),
  } as unknown as KyselyClient;
  // While it is lent out the pool does not listen for its errors; the statement under way reports them.
  client.on('error', () => (broken = true));
  guards.set(client, guarded);
  return guarded;
}
