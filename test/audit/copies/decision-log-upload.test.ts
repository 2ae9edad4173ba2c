import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { GateRecord } from '../../../src/audit/audit-record';
import {
  createDecisionLogUpload,
  type DecisionLogUpload,
  type DecisionLogUploadOptions,
} from '../../../src/audit/copies/decision-log-upload';
import { openSpool } from '../../../src/audit/copies/spool';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { toOpaEvent } from '../../../src/audit/to-opa-event';
import { startHttpReceiver, type HttpReceiver } from '../../fakes/http-receiver';
import { eventually } from '../../support/eventually';
import { aRecord } from '../a-record';

let folder: string;
let server: HttpReceiver;
let upload: DecisionLogUpload | undefined;
let counted: { written: number; failed: number; waiting: number };
let warned: { details: Record<string, unknown>; message: string }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-upload-'));
  server = await startHttpReceiver();
  counted = { written: 0, failed: 0, waiting: 0 };
  warned = [];
});
afterEach(async () => {
  await upload?.close();
  upload = undefined;
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(over: Partial<DecisionLogUploadOptions> = {}, maxWaitingBytes = 1_000_000) {
  const log = (details: object, message: string) => void warned.push({ details: { ...details }, message });
  upload = createDecisionLogUpload({
    url: `${server.url}/logs`,
    fetch: createHttpFetch({ env: {}, folder }),
    spool: await openSpool(folder, maxWaitingBytes),
    maxUploadBytes: 32_768,
    timeoutMs: 600_000,
    random: () => 1,
    metrics: {
      written: () => (counted.written += 1),
      failed: () => (counted.failed += 1),
      waiting: (_sink, bytes) => (counted.waiting = bytes),
    },
    logger: { warn: log, error: log },
    retry: { firstMs: 1, lastMs: 4 },
    ...over,
  });
  return upload;
}

const until = (check: () => unknown) =>
  eventually('what the test waits for', () => {
    check();
    return true;
  });
/** The ids that the server was sent in requests that it took. */
const idsOf = (requests: HttpReceiver['requests']) =>
  requests.flatMap(({ body }) => (JSON.parse(body) as { decision_id: string }[]).map((event) => event.decision_id));
const ids = (count: number) => Array.from({ length: count }, (_, i) => `d-${String(i).padStart(3, '0')}`);
const waitingFiles = () => readdirSync(folder).filter((name) => name.endsWith('.json'));

/** Events that wait on disk because the server was away. It is back, and neither it nor the counts know of them. */
async function leaveWaiting(count: number, over: (decisionID: string) => Partial<GateRecord> = () => ({})) {
  server.answers.push(...Array<number>(1_000).fill(503));
  const before = await start();
  for (const decisionID of ids(count)) await before.write(aRecord({ decisionID, ...over(decisionID) }));
  await before.close();
  server.answers.length = 0;
  server.requests.length = 0;
  warned.length = 0;
  counted.failed = 0;
}

describe('the upload of decision logs', () => {
  it('the upload of decision logs posts gzipped arrays of OPA’s events, with the token', async () => {
    const { write } = await start({ bearerToken: () => Promise.resolve('secret') });
    const record = aRecord();
    await write(record);
    await until(() => expect(counted).toEqual({ written: 1, failed: 0, waiting: 0 }));
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/logs',
      headers: { 'content-encoding': 'gzip', 'content-type': 'application/json', authorization: 'Bearer secret' },
    });
    expect(JSON.parse(server.requests[0]!.body)).toEqual([toOpaEvent(record)]);
    expect(waitingFiles()).toEqual([]);
  });

  it('the upload of decision logs sends no event for what is no decision', async () => {
    const { write } = await start();
    await write(aRecord({ kind: 'pause', decisionID: 'p' }));
    await write(aRecord({ decisionID: 'd' }));
    await until(() => expect(counted.written).toBe(1));
    expect(idsOf(server.requests)).toEqual(['d']);
  });

  it.each<[string, HttpReceiver['answers'][number], string]>([
    ['fails', 500, 'the server answered 500'],
    ['throttles', 429, 'the server answered 429'],
    ['does not know the token', 401, 'the server answered 401'],
    [
      'has moved',
      { status: 301, headers: { location: '/login' } },
      'the server answered 301, and no redirect is followed',
    ],
    ['asks to look elsewhere', { status: 303, headers: { location: '/login' } }, 'the server answered 303'],
    ['has moved for now', { status: 307, headers: { location: '/login' } }, 'the server answered 307'],
    ['hangs', 'hang', 'timeout'],
    ['breaks off', 'reset', 'ECONNRESET'],
  ])(
    'the upload of decision logs tries again where the server %s, keeps the order and loses none',
    async (_name, answer, why) => {
      server.answers.push(answer, answer);
      const { write } = await start({ timeoutMs: 2_000 });
      for (const decisionID of ids(20)) await write(aRecord({ decisionID }));
      await until(() => expect(counted.written).toBe(20));
      expect(idsOf(server.requests.slice(2))).toEqual(ids(20));
      expect(counted.failed).toBe(2);
      expect(warned).toHaveLength(2);
      expect(warned[0]).toMatchObject({
        message: 'Decisions could not be uploaded; they wait on disk, and are tried again',
        details: { sink: 'upload', error: expect.stringContaining(why), oldest: join(folder, '0000000000000001.json') },
      });
      expect(waitingFiles()).toEqual([]);
    },
  );

  it('the upload of decision logs continues after a restart where it stopped', async () => {
    await leaveWaiting(5);
    expect(waitingFiles()).toHaveLength(5);
    await start();
    await until(() => expect(counted.written).toBe(5));
    expect(idsOf(server.requests)).toEqual(ids(5));
  });

  it('the upload of decision logs refuses a record when there is no room, and takes it when the server is back', async () => {
    server.answers.push(...Array<number>(10_000).fill(503));
    const record = aRecord();
    const { write } = await start({}, 2_000);
    await write(record);
    await expect(
      (async () => {
        for (;;) await write(aRecord());
      })(),
    ).rejects.toMatchObject({ type: 'AuditWriteFailed', message: expect.stringContaining('of at most 2000 bytes') });
    server.answers.length = 0;
    await until(() => expect(counted.waiting).toBe(0));
    await write(aRecord({ decisionID: 'last' }));
    await until(() => expect(idsOf(server.requests).at(-1)).toBe('last'));
  });

  it('the upload of decision logs keeps uploads below their size, and halves them while the server says 413', async () => {
    await leaveWaiting(40, (decisionID) => ({ actor: decisionID.repeat(40) }));
    server.answers.push(413, 413);
    await start({ maxUploadBytes: 1_500 });
    await until(() => expect(counted.written).toBe(40));
    const sizes = server.requests.map(({ headers }) => Number(headers['content-length']));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_500);
    const counts = server.requests.map((request) => idsOf([request]).length);
    expect(counts[1]).toBe(Math.floor(counts[0]! / 2));
    expect(counts[2]).toBe(Math.floor(counts[1]! / 2));
    expect(idsOf(server.requests.slice(2))).toEqual(ids(40));
  });

  it.each([400, 413, 422])(
    'the upload of decision logs sends all before an event that the server refuses with %i, and then names its file',
    async (status) => {
      await leaveWaiting(20);
      server.refuse = (body) => (body.includes('d-013') ? status : undefined);
      await start();
      const poison = join(folder, '0000000000000014.json');
      await until(() => expect(warned.at(-1)?.details).toMatchObject({ oldest: poison, events: 1 }));
      expect(counted.written).toBe(13);
      rmSync(poison);
      await until(() => expect(counted.written).toBe(19));
      expect(waitingFiles()).toEqual([]);
    },
  );

  it('the upload of decision logs asks a server that takes small uploads alone not with a large one each time', async () => {
    await leaveWaiting(100);
    server.refuse = (body) => ((JSON.parse(body) as unknown[]).length > 4 ? 413 : undefined);
    await start();
    await until(() => expect(counted.written).toBe(100));
    expect(counted.failed).toBeLessThan(40);
  });

  it('the upload of decision logs sends alone what is too large for an upload, rather than never', async () => {
    const { write } = await start({ maxUploadBytes: 100 });
    await write(aRecord({ decisionID: 'large' }));
    await until(() => expect(counted.written).toBe(1));
    expect(idsOf(server.requests)).toEqual(['large']);
  });

  it('the upload of decision logs reads the token again for each upload', async () => {
    server.answers.push(401);
    const tokens = ['token-1', 'token-2'];
    const { write } = await start({ bearerToken: () => Promise.resolve(tokens.shift() ?? 'token-3') });
    await write(aRecord());
    await until(() => expect(counted.written).toBe(1));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(JSON.stringify(warned)).not.toContain('token-1');
  });
});
