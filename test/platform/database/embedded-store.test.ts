import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { auditRoutes } from '../../../src/api/audit-routes';
import { openAuditReader } from '../../../src/audit/stores/open-audit-reader';
import { createOwnerClient } from '../../../src/audit/stores/owner-client';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { migrate } from '../../../src/platform/database/migrate';
import { migrations } from '../../../src/audit/stores/postgres/migrations';
import { aRecord } from '../../audit/a-record';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A process that holds the store and records until it is killed. */
function startRecorder(): ChildProcessByStdio<null, Readable, null> {
  const support = join(__dirname, '..', '../support');
  const args = ['-r', join(support, 'ts-require.cjs'), join(support, 'record-until-killed.ts'), folder];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('an embedded store', () => {
  it('an embedded store reopens after SIGKILL in the middle of writing, with every record that was confirmed', async () => {
    const child = startRecorder();
    const exited = once(child, 'exit');
    const confirmed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      confirmed.push(line);
      // While it lives nobody else gets in.
      if (confirmed.length === 10)
        await expect(openAuditDatabase({ folder })).rejects.toThrow(`in process ${child.pid} `);
      if (confirmed.length === 60) child.kill('SIGKILL');
    }
    await exited;

    const store = createPostgresAuditStore(await openAuditDatabase({ folder }));
    const kept = (await store.list({ limit: 10_000 })).map((record) => record.decisionID);
    expect(confirmed.length).toBeGreaterThanOrEqual(60);
    expect(kept).toEqual(expect.arrayContaining(confirmed));
    // One more may have been committed, but not confirmed any more.
    expect(kept.length - confirmed.length).toBeLessThanOrEqual(1);
    await store.record(aRecord({ decisionID: 'after' }));
    expect((await store.get('after'))?.decisionID).toBe('after');
    await store.close();
  });

  it('an embedded store begins again when an earlier process was killed while it created the store', async () => {
    await mkdir(join(folder, 'pgdata.new'));
    await writeFile(join(folder, 'pgdata.new', 'PG_VERSION'), 'half');
    await (await openAuditDatabase({ folder })).close();
    expect(await readdir(folder)).toEqual(['pgdata']);
  });

  it('an embedded store keeps its token to this user and takes its files away when it closes', async () => {
    const database = await openAuditDatabase({ folder });
    await database.owner!.publishAddress('http://127.0.0.1:1');
    for (const file of ['owner.token', 'owner.json']) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
    await database.close();
    await database.close();
    expect(await readdir(folder)).toEqual(['pgdata']);
  });

  it('an embedded store refuses a store that a newer version has migrated', async () => {
    const database = await openAuditDatabase({ folder });
    await migrate(database.db, { ...migrations, '9999-of-the-future': { up: () => Promise.resolve() } });
    await expect(migrate(database.db, migrations)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining('set up by a newer version'),
    });
    await database.close();
  });

  it('an embedded store gives the folder back when it cannot be opened', async () => {
    await rm(folder, { recursive: true });
    const database = await openAuditDatabase({ folder });
    await migrate(database.db, { ...migrations, '9999-of-the-future': { up: () => Promise.resolve() } });
    await database.close();
    await expect(openAuditDatabase({ folder })).rejects.toMatchObject({ type: 'ConfigInvalid' });
    expect(await readdir(folder)).toEqual(['pgdata']);
  });
});

describe('openAuditReader', () => {
  it('openAuditReader opens the folder itself when no one holds it, and gives it back', async () => {
    const record = aRecord();
    const store = createPostgresAuditStore(await openAuditDatabase({ folder }));
    await store.record(record);
    await store.close();
    const reader = await openAuditReader({ folder });
    expect(await reader.list({})).toEqual([record]);
    await reader.close();
    expect(await readdir(folder)).toEqual(['pgdata']);
  });

  it('openAuditReader asks the owner when there is one', async () => {
    const record = aRecord();
    const database = await openAuditDatabase({ folder });
    const store = createPostgresAuditStore(database);
    await store.record(record);
    const server = fastify();
    await server.register(auditRoutes, { reader: store, tokens: [database.owner!.token] });
    await database.owner!.publishAddress(await server.listen({ host: '127.0.0.1', port: 0 }));

    const reader = await openAuditReader({ folder });
    expect(await reader.list({ deploymentID: record.deploymentID, limit: 1, newestFirst: false })).toEqual([record]);
    expect(await reader.list({ deploymentID: 'another' })).toEqual([]);
    expect(await reader.get(record.decisionID)).toEqual(record);
    expect(await reader.get('no/such?id')).toBeUndefined();
    await expect(reader.list({ limit: 0 })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [{ where: 'limit', message: 'Expected limit to be a whole number from 1 to 10000, got "0"' }],
    });
    await reader.close();

    await server.close();
    await expect(reader.list({})).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringMatching(/^Cannot read the audit log from the worker at .* does not answer \(\w+\)$/),
    });
    await store.close();
  });

  it('openAuditReader names the owner when it does not say where it answers', async () => {
    const database = await openAuditDatabase({ folder });
    await expect(openAuditReader({ folder, addressWithinMs: 0 })).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringContaining(`process ${process.pid} holds the embedded store`),
    });
    await database.close();
  });

  it.each(['nowhere', '.'])('openAuditReader does not make a store where there is none: %s', async (name) => {
    const nowhere = join(folder, name);
    await expect(openAuditReader({ folder: nowhere })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: `There is no audit store in ${nowhere}: no worker has run with it yet, or audit.store names another`,
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('openAuditReader waits for an owner that has just started to say where it answers', async () => {
    const record = aRecord();
    const database = await openAuditDatabase({ folder });
    const store = createPostgresAuditStore(database);
    await store.record(record);
    const server = fastify();
    await server.register(auditRoutes, { reader: store, tokens: [database.owner!.token] });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const opening = openAuditReader({ folder });
    await database.owner!.publishAddress(url);
    expect(await (await opening).list({})).toEqual([record]);
    await server.close();
    await store.close();
  });

  it.each([
    ['a server that knows no such path', 404, '{}', 'it is not a worker of this program, or an older one'],
    ['a server that refuses', 401, '{"error": {"message": "wrong token"}}', 'it answers 401: wrong token'],
    ['a server that fails in its own way', 502, '<html>', 'it answers 502'],
  ])('openAuditReader does not take %s for an empty log', async (_, status, body, problem) => {
    const server = fastify();
    server.get('*', (_request, reply) => reply.code(status).send(body));
    const client = createOwnerClient({ url: await server.listen({ host: '127.0.0.1', port: 0 }), token: 't' });
    await expect(client.list({})).rejects.toMatchObject({
      type: 'AuditUnavailable',
      message: expect.stringContaining(`that holds the embedded store: ${problem}`),
    });
    await server.close();
  });
});
