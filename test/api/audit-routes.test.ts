import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fastify, { type FastifyInstance } from 'fastify';
import { auditRoutes } from '../../src/api/audit-routes';
import type { AuditQuery, AuditRecord } from '../../src/audit/audit-record';
import { FailureType, GateError } from '../../src/kernel/failures';
import { aRecord } from '../audit/a-record';

const record = aRecord();
let asked: AuditQuery[];
let recorded: AuditRecord[];
let failure: Error | undefined;
let server: FastifyInstance;
let base: string;
beforeEach(async () => {
  [asked, recorded, failure] = [[], [], undefined];
  server = fastify();
  await server.register(auditRoutes, {
    tokens: ['right', '', 'also-right'],
    writer: {
      tokens: ['owner', ''],
      record(written) {
        if (failure) return Promise.reject(failure);
        recorded.push(written);
        return Promise.resolve();
      },
    },
    nowMs: () => Date.parse('2026-11-30T00:00:00Z'),
    reader: {
      get: (id) => Promise.resolve(id === record.decisionID ? record : undefined),
      list(query) {
        asked.push(query);
        return failure ? Promise.reject(failure) : Promise.resolve([record]);
      },
    },
  });
  base = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => server.close());
async function get(path: string, authorization = 'Bearer right') {
  const response = await fetch(new URL(path, base), { headers: { authorization, connection: 'close' } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as unknown };
}

describe('the audit routes', () => {
  it.each(['Bearer right', 'bearer also-right'])(
    'the audit routes open to a token that is among theirs: %s',
    async (header) => {
      expect((await get('/audit/records', header)).status).toBe(200);
    },
  );

  it.each(['', 'Bearer', 'Bearer wrong', 'Bearer rightt', 'Bearer ', 'Basic right', 'right'])(
    'the audit routes stay shut to the header %j, before anything is read',
    async (header) => {
      const answer = await get(`/audit/records`, header);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(asked).toEqual([]);
      expect((await get(`/audit/records/${record.decisionID}`, header)).status).toBe(401);
    },
  );

  it('the audit routes read the query as the command does', async () => {
    const answer = await get('/audit/records?stage=canary&since=30d&limit=5');
    expect(answer.body).toEqual({ records: [record] });
    expect(asked).toEqual([{ stage: 'canary', since: '2026-10-31T00:00:00.000Z', limit: 5 }]);
  });

  it('the audit routes answer 400 with every fault of a query', async () => {
    const answer = await get('/audit/records?stage=a&stage=b&limit=0');
    expect(answer.status).toBe(400);
    const { error } = answer.body as { error: { type: string; faults: { where: string }[] } };
    expect(error.type).toBe('ConfigInvalid');
    expect(error.faults.map((fault) => fault.where)).toEqual(['stage', 'limit']);
  });

  it('the audit routes answer one record by its id, and 404 where there is none', async () => {
    expect((await get(`/audit/records/${record.decisionID}`)).body).toEqual(record);
    const none = await get('/audit/records/none');
    expect(none.status).toBe(404);
    expect(none.body).toEqual({ error: { type: 'NotFound', message: 'There is no audit record with the id none' } });
  });

  it('the audit routes answer 503 while the store is out of reach, and leave other errors to the server', async () => {
    failure = new GateError(FailureType.AuditUnavailable, 'Cannot read the audit log');
    expect((await get('/audit/records')).status).toBe(503);
    failure = new Error('a mistake in this program');
    expect((await get('/audit/records')).status).toBe(500);
  });

  describe('the route for records of commands', () => {
    const rollback = {
      schemaVersion: 2,
      domain: 'images',
      subject: 'mirror.example/team/app',
      part: 'v1',
      decisionID: 'd',
      kind: 'rollback',
      timestamp: '2026-11-27T10:00:00.000Z',
      actor: 'ann',
      reason: 'v1 crashes',
      reasons: [],
      errorDetails: [],
      usedFacts: [],
      details: { to: 'sha256:1' },
    };
    async function post(body: unknown, token = 'owner') {
      const response = await fetch(new URL('/audit/records', base), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as unknown };
    }

    it('the route takes a record of images from the owner of the store', async () => {
      expect(await post(rollback)).toEqual({ status: 200, body: {} });
      expect(recorded).toEqual([rollback]);
    });

    it.each(['right', '', 'wrong'])('the route stays shut to the token %j', async (token) => {
      expect((await post(rollback, token)).status).toBe(401);
      expect((await get('/audit/records', 'Bearer owner')).status).toBe(401);
      expect(recorded).toEqual([]);
    });

    it.each([
      ['a decision', { ...rollback, kind: 'decision', outcome: 'allow' }],
      ["the gate's domain", { ...rollback, domain: 'gate' }],
      ['no actor', { ...rollback, actor: undefined }],
      ['a list', [rollback]],
      ['no JSON', '{'],
    ])('the route refuses %s', async (_what, body) => {
      expect((await post(body)).status).toBe(400);
      expect(recorded).toEqual([]);
    });

    it('the route answers 503 when the store does not take it', async () => {
      failure = new GateError(FailureType.AuditWriteFailed, 'the store is down');
      expect((await post(rollback)).status).toBe(503);
    });
  });
});
