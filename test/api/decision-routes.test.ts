import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { decisionRoutes } from '../../src/api/decision-routes';
import { startHttpServer, type HttpServer } from '../../src/api/http-server';
import { FailureType, GateError } from '../../src/kernel/failures';

let server: HttpServer | undefined;
const unexpected: unknown[] = [];
afterEach(() => server?.close());

async function answerTo(failure: Error): Promise<{ status: number; body: unknown }> {
  server = await startHttpServer({
    port: 0,
    releaseStatus: () => ({}),
    checkTemporal: async () => undefined,
    registry: new Registry(),
    onUnexpected: (error) => unexpected.push(error),
    register: (each) => each.register(decisionRoutes, { token: 't', decide: () => Promise.reject(failure) }),
  });
  const response = await fetch(new URL('/v1/decisions', server.url), {
    method: 'POST',
    headers: { authorization: 'Bearer t', 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ deployment_id: 'a', stage: 'b' }),
  });
  return { status: response.status, body: await response.json() };
}

describe('a decision that cannot be made', () => {
  it.each([FailureType.PolicyUnavailable, FailureType.AuditWriteFailed, FailureType.AuditUnavailable])(
    'a decision that fails with %s is answered with 503 and that type, since it may be asked again',
    async (type) => {
      expect(await answerTo(new GateError(type, 'not now'))).toEqual({
        status: 503,
        body: { error: { type, message: 'not now', faults: [{ type, message: 'not now' }] } },
      });
    },
  );

  it('a decision that fails unexpectedly tells the client nothing of it, and the worker all', async () => {
    const failure = new Error('password hunter2');
    expect(await answerTo(failure)).toEqual({
      status: 500,
      body: { error: { type: 'Unexpected', message: 'Unexpected failure' } },
    });
    expect(unexpected).toEqual([failure]);
  });
});
