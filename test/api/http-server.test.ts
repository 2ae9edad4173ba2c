import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { isLoopback, isLoopbackHostHeader } from '../../src/api/access';
import { startHttpServer, type HttpServer, type HttpServerOptions } from '../../src/api/http-server';
import { GateError } from '../../src/kernel/failures';
import { createMetrics } from '../../src/gate/metrics';
import type { ReleaseStatus } from '../../src/releases/release';
import { eventually } from '../support/eventually';

const loaded: ReleaseStatus = {
  ref: { policySha: 'p', configRev: 'c', manifestVersion: '7' },
  loadedAtMs: 0,
  lastCheckAtMs: 2000,
  lastSuccessfulCheckAtMs: 1000,
  lastError: 'policy refused',
};
const servers: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(over: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const registry = new Registry();
  createMetrics(registry);
  const server = await startHttpServer({
    port: 0,
    releaseStatus: () => loaded,
    checkTemporal: async () => undefined,
    registry,
    register: (each) => each.get('/closed', async () => 'in'),
    ...over,
  });
  servers.push(server);
  return server;
}

function get({ port }: HttpServer, path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
}
/** All that a server answers to `sent` until it closes the connection. */
function answerTo(port: number, sent: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(sent);
  });
}
const refusal = (over: Partial<HttpServerOptions>) =>
  start(over).then(
    () => 'started',
    (error: unknown) =>
      error instanceof GateError ? `${error.type} ${error.faults[0]?.where}: ${error.message}` : error,
  );

describe('health', () => {
  it('the route /readyz says under which release it is ready, since when and what the last check found', async () => {
    const { status, body } = await get(await start(), '/readyz');
    expect([status, JSON.parse(body)]).toEqual([
      200,
      {
        status: 'ready',
        policySHA: 'p',
        configRev: 'c',
        manifestVersion: '7',
        loadedSince: '1970-01-01T00:00:00.000Z',
        lastCheck: '1970-01-01T00:00:02.000Z',
        lastSuccessfulCheck: '1970-01-01T00:00:01.000Z',
        lastError: 'policy refused',
        temporal: { reachable: true },
      },
    ]);
  });

  it('a worker without a release lives but is not ready', async () => {
    const server = await start({ releaseStatus: () => ({ lastError: 'no manifest' }) });
    const ready = await get(server, '/readyz');
    expect([ready.status, JSON.parse(ready.body)]).toEqual([
      503,
      { status: 'not ready', lastError: 'no manifest', temporal: { reachable: true } },
    ]);
    expect(await get(server, '/healthz')).toEqual({
      status: 200,
      body: '{"status":"ok","lastError":"no manifest"}',
    });
  });

  it.each<[string, () => Promise<unknown>, string]>([
    ['fails', () => Promise.reject(new Error('connection refused')), 'connection refused'],
    ['hangs', () => new Promise(() => undefined), 'Temporal gave no answer within 10 ms'],
  ])('a worker is not ready when Temporal %s', async (_name, checkTemporal, error) => {
    const { status, body } = await get(await start({ checkTemporal, temporalTimeoutMs: 10 }), '/readyz');
    expect([status, JSON.parse(body)]).toMatchObject([503, { temporal: { reachable: false, error } }]);
  });

  it('both health routes say that the release came from the disk', async () => {
    const server = await start({ releaseStatus: () => ({ ...loaded, fromCache: true }) });
    for (const route of ['/healthz', '/readyz']) {
      expect(JSON.parse((await get(server, route)).body)).toMatchObject({ fromCache: true, manifestVersion: '7' });
    }
  });

  it('the server reports the release on /healthz, and the metrics', async () => {
    const server = await start();
    const { status, body } = await get(server, '/healthz');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      status: 'ok',
      policySHA: 'p',
      configRev: 'c',
      manifestVersion: '7',
      loadedSince: '1970-01-01T00:00:00.000Z',
      lastCheck: '1970-01-01T00:00:02.000Z',
      lastSuccessfulCheck: '1970-01-01T00:00:01.000Z',
      lastError: 'policy refused',
    });
    expect((await get(server, '/metrics')).body).toContain('# TYPE gate_decisions_total counter');
  });
});

describe('access', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it.each<[string, string[], Record<string, string>, string, number]>([
    ['health is open', [], {}, '/healthz', 200],
    ['a query changes nothing', [], {}, '/readyz?x=1', 200],
    ['another route is closed without a token', ['t1'], {}, '/closed', 401],
    ['a wrong token opens nothing', ['t1'], bearer('t2'), '/closed', 401],
    ['another scheme opens nothing', ['t1'], { authorization: 'Basic t1' }, '/closed', 401],
    ['any of the tokens opens', ['t1', 't2'], bearer('t2'), '/closed', 200],
    ['an empty token opens nothing', [''], { authorization: 'Bearer ' }, '/closed', 401],
    ['nothing opens where no token is set', [], bearer('t1'), '/closed', 401],
    ['an unknown path does not tell that it is unknown', ['t1'], {}, '/nope', 401],
    ['an unknown path is not found with a token', ['t1'], bearer('t1'), '/nope?secret=1', 404],
    ['another name for this address is refused', ['t1'], { ...bearer('t1'), host: 'evil.example:80' }, '/healthz', 403],
    ['localhost is a name of this machine', [], { host: 'localhost:1' }, '/healthz', 200],
  ])('the HTTP server on loopback %s', async (_name, tokens, headers, path, status) => {
    const [bearerToken, ...moreTokens] = tokens;
    const answer = await get(await start({ bearerToken, moreTokens }), path, headers);
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('secret');
  });

  it.each<[string, Record<string, string>, string, number]>([
    ['health is closed', {}, '/healthz', 401],
    ['metrics are closed', {}, '/metrics', 401],
    ['a token opens', bearer('t1'), '/healthz', 200],
    ['any Host header will do', { ...bearer('t1'), host: 'gate.example' }, '/healthz', 200],
  ])('the HTTP server beyond loopback %s', async (_name, headers, path, status) => {
    // 127.1 is loopback to the system but not to the strict rule, so the test itself listens on loopback only.
    const server = await start({ host: '127.1', bearerToken: 't1' });
    expect((await get(server, path, headers)).status).toBe(status);
  });

  it.each([
    ['/healthz', 200],
    ['/readyz', 200],
    ['/metrics', 401],
    ['/closed', 401],
    ['/nope', 401],
  ])(
    'the HTTP server whose probes are open beyond loopback answers %s without a token with %d',
    async (path, status) => {
      const server = await start({ host: '127.1', bearerToken: 't1', openProbes: true });
      expect((await get(server, path)).status).toBe(status);
    },
  );

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])(
    'the HTTP server refuses to listen on %s without a token of its own',
    async (host) => {
      expect(await refusal({ host, bearerToken: '', moreTokens: ['the token of an embedded store'] })).toBe(
        `ConfigInvalid http.bearerToken: Expected http.bearerToken, because http.host ${host} is not a loopback address`,
      );
    },
  );

  it.each([
    ['its headers', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n'],
    ['its body', 'POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{'],
  ])('the HTTP server ends a request that does not arrive with %s', async (_what, sent) => {
    const { port } = await start({ limits: { requestMs: 50 } });
    expect(await answerTo(port, sent)).toMatch(/^HTTP\/1.1 40[18] /);
  });

  it.each([
    ['a control character in a header', 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nA: \u001b[31m\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers without end', `GET /healthz HTTP/1.1\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['half a request', 'GET /healthz HTTP/1.1\r\n', 408],
  ])('the HTTP server answers %s as it answers every fault of a client', async (_what, sent, status) => {
    const { port } = await start(status === 408 ? { limits: { requestMs: 50 } } : {});
    const [head, body] = (await answerTo(port, sent)).split('\r\n\r\n') as [string, string];
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(body)).toEqual({ error: { type: 'Usage', message: expect.stringMatching(/^expected /) } });
  });

  it('the HTTP server takes no more connections than it may have, and one again when another has ended', async () => {
    const server = await start({ limits: { connections: 1 } });
    const held = connect(server.port, '127.0.0.1');
    await new Promise((resolve) => held.on('connect', resolve));
    await expect(get(server, '/healthz')).rejects.toThrow();
    held.destroy();
    const status = await eventually('an answer', async () => (await get(server, '/healthz')).status);
    expect(status).toBe(200);
  });

  it('the HTTP server says that a port is taken, and what to do', async () => {
    const { port } = await start();
    expect(await refusal({ port })).toBe(
      `ConfigInvalid http.port: Port ${port} on 127.0.0.1 is taken; set http.port to another one (0 takes a free one)`,
    );
  });

  it('the HTTP server says that an address is not of this machine', async () => {
    expect(await refusal({ host: '192.0.2.1', bearerToken: 't' })).toBe(
      'ConfigInvalid http.host: Expected http.host to be an address of this machine, got 192.0.2.1',
    );
  });

  it('the HTTP server passes on what goes wrong while routes are added', async () => {
    const register = () => {
      throw new RangeError('no such route');
    };
    await expect(start({ register })).rejects.toThrow('no such route');
  });

  it('the HTTP server tells the port that it took', async () => {
    const server = await start();
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect(server.port).toBeGreaterThan(0);
  });

  it.each<[string, boolean]>([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['[::1]', true],
    ['LOCALHOST', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.evil.example', false],
    ['10.0.0.1', false],
    ['', false],
  ])('the host %j is loopback: %s', (host, wanted) => {
    expect(isLoopback(host)).toBe(wanted);
  });

  it.each<[string | undefined, boolean]>([
    ['[::1]:9100', true],
    ['127.0.0.1', true],
    ['localhost:evil', false],
    ['::1', false],
    [undefined, false],
  ])('the Host header %j names this machine: %s', (header, wanted) => {
    expect(isLoopbackHostHeader(header)).toBe(wanted);
  });
});
