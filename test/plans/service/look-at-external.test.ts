import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import type { EndpointCriterion } from '../../../src/plans/execution/criteria';
import { lookAtCriterion, lookAtExternal } from '../../../src/plans/service/look-at-external';

/** Answers 200 and a first line, and then nothing more: the body never ends. */
function startEndless(): Promise<Server> {
  const server = createServer((_request, response) => void response.writeHead(200).write('up\n'));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

const fetch = createHttpFetch({ env: {}, folder: '.' });

describe('the look at an endpoint', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = await startEndless();
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=hidden`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const criterion = (more: Partial<EndpointCriterion> = {}): EndpointCriterion => ({
    ...{ name: 'up', url, method: 'GET', timeoutMs: 20_000 },
    ...more,
  });

  it('a criterion without bodyMatch holds by its status, though the body never ends', async () => {
    expect(await lookAtCriterion(fetch, criterion())).toEqual({ holds: true });
  });

  it('a criterion with bodyMatch waits for the body until its time-out', async () => {
    const look = await lookAtCriterion(fetch, criterion({ bodyMatch: 'up', timeoutMs: 200 }));
    expect(look).toEqual({ holds: false, message: 'no answer within 200 ms' });
  });

  it('a failure of the network is told by its code, or as one, and never by its address', async () => {
    const failing = (cause: unknown) => () => Promise.reject(new TypeError(`fetch of ${url} failed`, { cause }));
    const refused = failing(Object.assign(new Error(`connect to ${url}`), { code: 'ECONNREFUSED' }));
    expect(await lookAtCriterion(refused, criterion())).toEqual({ holds: false, message: 'no answer (ECONNREFUSED)' });
    expect(await lookAtCriterion(failing(undefined), criterion())).toEqual({
      holds: false,
      message: 'no answer (network failure)',
    });
    const { message } = await lookAtExternal(failing(undefined), { uri: url, outputs: [] });
    expect(message).toContain('does not answer (network failure)');
    expect(message).not.toContain('hidden');
  });
});
