import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createPostgresAuditStore } from '../../../../src/audit/stores/postgres/store';
import { openAuditDatabase, type AuditDatabase } from '../../../../src/audit/stores/postgres/open-audit-database';
import { AUDIT_TABLE } from '../../../../src/audit/stores/postgres/schema';
import { run } from '../../../../src/cli/run';
import { startTemporalServer } from '../../../../src/dev/temporal-server';
import { aRecord } from '../../a-record';
import { describeAuditStore } from '../../../../src/contracts/audit-store';
import { jestFramework } from '../../../support/jest-framework';
import { startFreezingProxy } from '../../../support/freezing-proxy';
import { startPostgres, type TestPostgres } from '../../../support/postgres';

const empty = async ({ db }: AuditDatabase) => void (await db.deleteFrom(AUDIT_TABLE).execute());
/** The contract does not depend on how busy the machine is. */
const patient = { connectMs: 60_000, statementMs: 60_000 };
const quick = { connectMs: 2_000, statementMs: 2_000 };

describeAuditStore(jestFramework, 'PGlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gate-store-'));
  const database = await openAuditDatabase({ folder });
  const store = createPostgresAuditStore(database);
  return {
    store,
    other: store,
    empty: () => empty(database),
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('with a PostgreSQL server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());

  describeAuditStore(jestFramework, 'PostgreSQL', async () => {
    const url = await server.database('contract');
    // Two workers start at once on an empty database.
    const options = { url, timeouts: patient };
    const [one, two] = await Promise.all([openAuditDatabase(options), openAuditDatabase(options)]);
    const [store, other] = [createPostgresAuditStore(one), createPostgresAuditStore(two)];
    return {
      store,
      other,
      empty: () => empty(one),
      close: async () => void (await Promise.all([store.close(), other.close()])),
    };
  });

  it.each([
    ['a wrong password', (url: string) => url.replace('open-sesame', 'wrong'), 'refused the user name or password'],
    ['an unknown database', (url: string) => url.replace(/[^/]+$/, 'unknown'), 'has no such database'],
    ['a server without TLS', (url: string) => `${url}?sslmode=verify-full`, 'does not support SSL connections'],
  ])('a worker does not wait for a store that refuses %s: it says so, with exit code 2', async (_what, change, why) => {
    const folder = await mkdtemp(join(tmpdir(), 'gate-refused-'));
    const url = change(`postgres://gate:open-sesame@127.0.0.1:${server.port}/postgres`);
    // A worker reaches Temporal before it opens its store.
    const temporal = await startTemporalServer({ logFile: join(folder, 'temporal.log') });
    const settings = { logLevel: 'silent', temporal: { address: temporal.address }, audit: { store: { url } } };
    await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
    let stderr = '';
    const code = await run(['worker', '--settings', 'settings.json'], {
      stdout: { write: () => true },
      stderr: { write: (text: string) => (stderr += text) },
      env: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_DATA_HOME: folder },
      cwd: folder,
      signal: new AbortController().signal,
    });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(why) });
    expect(stderr).not.toMatch(/waiting|open-sesame|wrong\b/);
    await temporal.stop();
    await rm(folder, { recursive: true });
  });

  it('the PostgreSQL store shows auditors facts and faults as JSONB in the table that the documentation names', async () => {
    const database = await openAuditDatabase({ url: await server.database('sql') });
    const store = createPostgresAuditStore(database);
    await store.record(aRecord());
    const { rows } = await sql<{ value: number }>`
      select (facts -> 0 ->> 'value')::int as value from DeploymentGateAuditLog where faults = '[]'`.execute(
      database.db,
    );
    expect(rows).toEqual([{ value: 3100 }]);
    await store.close();
  });

  it('the PostgreSQL store reports a server that went away as AuditWriteFailed and writes again when it is back', async () => {
    const database = await openAuditDatabase({ url: await server.database('outage') });
    const store = createPostgresAuditStore(database);
    const before = await store.record(aRecord());
    await server.stop();
    const during = aRecord();
    await expect(store.record(during)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${during.decisionID}: PostgreSQL at 127.0.0.1:${server.port}/outage refuses connections: nothing listens there (ECONNREFUSED)`,
    });
    await expect(store.list({})).rejects.toMatchObject({ type: 'AuditUnavailable' });
    await expect(store.get(before.decisionID)).rejects.toMatchObject({ type: 'AuditUnavailable' });
    await server.start();
    expect(await store.record(during)).toEqual(during);
    expect(await store.list({ newestFirst: false })).toEqual([before, during]);
    await store.close();
  });

  it('the PostgreSQL store gives a server that hangs up after the time-out, and writes again once it answers', async () => {
    const proxy = await startFreezingProxy(server.port);
    const url = (await server.database('hang')).replace(`:${server.port}/`, `:${proxy.port}/`);
    const store = createPostgresAuditStore(await openAuditDatabase({ url, timeouts: quick, maxConnections: 1 }));
    await store.record(aRecord());
    proxy.freeze();
    const late = aRecord();
    const timedOut = { type: 'AuditWriteFailed', message: expect.stringContaining('did not answer in time') };
    // The first finds an open connection that hangs, the second cannot even connect.
    await expect(store.record(late)).rejects.toMatchObject(timedOut);
    await expect(store.record(late)).rejects.toMatchObject(timedOut);
    proxy.thaw();
    expect(await store.record(late)).toEqual(late);
    await store.close();
    await proxy.close();
  });

  it('the PostgreSQL store gives up soon when it opens a store that hangs', async () => {
    const proxy = await startFreezingProxy(server.port);
    proxy.freeze();
    const url = `postgres://gate:open-sesame@127.0.0.1:${proxy.port}/postgres`;
    await expect(openAuditDatabase({ url, timeouts: quick })).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: `Cannot open the audit store: PostgreSQL at 127.0.0.1:${proxy.port}/postgres did not answer in time`,
    });
    await proxy.close();
  });

  it.each([
    [
      'a wrong password',
      (url: string) => url.replace('open-sesame', 'wrong'),
      'refused the user name or password (28P01)',
    ],
    ['a database that is not there', (url: string) => `${url}-missing`, 'has no such database (3D000)'],
  ])('the PostgreSQL store says what is wrong with %s, without the password', async (_, change, problem) => {
    const url = change(`postgres://gate:open-sesame@127.0.0.1:${server.port}/postgres`);
    const error = await openAuditDatabase({ url }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type: 'AuditUnavailable', message: expect.stringContaining(problem) });
    expect((error as Error).message).not.toMatch(/open-sesame|wrong/);
  });
});

describe('openDatabase', () => {
  it.each([
    ['not a URL at all', 'something that is no URL'],
    ['http://user:secret@db.example/gate', 'a http:// URL'],
    ['postgres:///gate', 'a postgres:// URL'],
  ])('openDatabase refuses %s without repeating it', async (url, found) => {
    await expect(openAuditDatabase({ url })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: `Expected audit.store.url to be postgres://user:password@host:port/database, got ${found}`,
    });
  });

  it('openDatabase says so when the host name cannot be resolved', async () => {
    await expect(openAuditDatabase({ url: 'postgres://gate@nowhere.invalid/gate' })).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringMatching(/^Cannot open the audit store: PostgreSQL at nowhere\.invalid:5432\/gate /),
    });
  });
});
