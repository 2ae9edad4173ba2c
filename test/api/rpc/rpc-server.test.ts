import { afterEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { exportJWK, SignJWT } from 'jose';
import { Registry } from 'prom-client';
import { createCallers, type KnownToken } from '../../../src/api/rpc/callers';
import { startRpcServer, type RpcServer, type RpcServerOptions } from '../../../src/api/rpc/rpc-server';
import type { Refusal } from '../../../src/api/rpc/refusals';
import { Health, HealthCheckResponse_ServingStatus as Status } from '../../../src/proto/grpc/health/v1/health_pb';
import { ServerReflection, ServerReflectionRequestSchema } from '../../../src/proto/grpc/reflection/v1/reflection_pb';
import { ServerReflection as ServerReflectionAlpha } from '../../../src/proto/grpc/reflection/v1alpha/reflection_pb';
import { sha256 } from '../../../src/kernel/digest';
import { createSignedTokens } from '../../../src/api/rpc/signed-tokens';

const started: RpcServer[] = [];
const refusals: Refusal[] = [];
const unexpected: unknown[] = [];

async function start(options: Partial<RpcServerOptions> & { tokens?: KnownToken[] } = {}): Promise<RpcServer> {
  const { tokens = [], ...rest } = options;
  const server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    callers: createCallers({ tokens, loopback: true }),
    services: [],
    requestsPerSecond: 1_000,
    maxRequestBytes: 4 * 1024 * 1024,
    registry: new Registry(),
    isServing: async () => true,
    onRefused: (refusal) => void refusals.push(refusal),
    onUnexpected: (error) => void unexpected.push(error),
    ...rest,
  });
  started.push(server);
  return server;
}

/** A call that needs a token, where there are any. */
async function listServices(baseUrl: string, headers: Record<string, string>) {
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl }));
  async function* requests() {
    yield create(ServerReflectionRequestSchema, { messageRequest: { case: 'listServices', value: '' } });
  }
  for await (const answer of client.serverReflectionInfo(requests(), { headers })) return answer;
  throw new Error('no answer');
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close(100)));
  expect(unexpected).toEqual([]);
  refusals.length = 0;
});

describe('one port', () => {
  it('answers gRPC over HTTP/2 without TLS, gRPC-web and Connect over HTTP/1.1, and plain HTTP', async () => {
    const { url } = await start();
    const transports = [
      createGrpcTransport({ baseUrl: url }),
      createGrpcWebTransport({ baseUrl: url, httpVersion: '1.1' }),
      createConnectTransport({ baseUrl: url, httpVersion: '1.1' }),
      createConnectTransport({ baseUrl: url, httpVersion: '2' }),
    ];
    for (const transport of transports) {
      expect((await createClient(Health, transport).check({})).status).toBe(Status.SERVING);
    }
    const json = await fetch(`${url}/grpc.health.v1.Health/Check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(await json.json()).toEqual({ status: 'SERVING' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' });
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
  });

  it('reads an HTTP/2 preface that comes byte by byte', async () => {
    const { port } = await start();
    const socket = connectTcp(port, '127.0.0.1');
    const answered = new Promise<Buffer>((resolve) => socket.once('data', resolve));
    for (const byte of Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    // An empty SETTINGS frame of ours; its own comes back.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    expect((await answered)[3]).toBe(4);
    socket.destroy();
  });

  it('closes a connection that says nothing, half a preface or half a request in time', async () => {
    const { port } = await start({ limits: { requestMs: 150 } });
    for (const begin of ['', 'PRI * HT', 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf']) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (begin !== '') socket.write(begin);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
  });

  it('ends an HTTP/2 request that does not arrive whole in time', async () => {
    const { url } = await start({ limits: { requestMs: 150 } });
    const session = connectHttp2(url);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    stream.write(Buffer.of(0, 0, 0));
    await new Promise((resolve) => stream.once('close', resolve));
    session.destroy();
  });

  it('closes connections beyond the bound, and serves those within it', async () => {
    const { url, port } = await start({ limits: { connections: 1 } });
    const first = connectTcp(port, '127.0.0.1');
    await new Promise((resolve) => first.once('connect', resolve));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
    first.destroy();
    await new Promise((resolve) => first.once('close', resolve));
    for (let status = 0; status !== 200;) {
      status = await fetch(`${url}/healthz`).then(
        (response) => response.status,
        () => 0,
      );
    }
  });

  it('survives what is neither HTTP/1.1 nor HTTP/2', async () => {
    const { url, port } = await start();
    for (const bytes of [
      Buffer.from([22, 3, 1, 2, 0, 1, 0]),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense!!!!'),
    ]) {
      const socket = connectTcp(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.resume();
      socket.end(bytes);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    const health = await fetch(`${url}/healthz`);
    expect([health.status, health.headers.get('content-type'), await health.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'ok',
    ]);
  });

  it('refuses a Host header that does not name this machine, as a page of another site would send it', async () => {
    const { port } = await start();
    const socket = connectTcp(port, '127.0.0.1');
    socket.end('GET /healthz HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(answer.toString()).toContain('403');
  });

  it('refuses a message beyond the bound, and JSON nested beyond what is read', async () => {
    const { url } = await start({ maxRequestBytes: 1_000 });
    const post = (body: string) =>
      fetch(`${url}/grpc.health.v1.Health/Check`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
    expect((await post(JSON.stringify({ service: 'x'.repeat(2_000) }))).status).toBe(429);
    expect((await post('{"service": {"a": 1}}')).status).toBe(400);
    expect((await post('{"servce": "x"}')).status).toBe(400);
  });

  it('says which setting is wrong when the port is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ faults: [{ where: 'server.port' }] });
  });
});

describe('health', () => {
  it('knows the server as a whole and its services, and no others', async () => {
    const { url } = await start();
    const client = createClient(Health, createGrpcTransport({ baseUrl: url }));
    const { statuses } = await client.list({});
    expect(Object.keys(statuses)).toEqual(['']);
    await expect(client.check({ service: 'unknown.Service' })).rejects.toMatchObject({ code: Code.NotFound });
  });

  it('tells a watcher the status at once and that the server stops', async () => {
    const server = await start();
    const client = createClient(Health, createGrpcTransport({ baseUrl: server.url }));
    const seen: Status[] = [];
    for await (const { status } of client.watch({})) {
      seen.push(status);
      if (seen.length === 1) void server.close(2_000);
    }
    expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING]);
  });

  it('says NOT_SERVING while the services cannot work', async () => {
    const { url } = await start({ isServing: async () => false });
    const client = createClient(Health, createGrpcTransport({ baseUrl: url }));
    expect((await client.check({})).status).toBe(Status.NOT_SERVING);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });
});

describe('reflection', () => {
  async function ask(url: string, service: typeof ServerReflection | typeof ServerReflectionAlpha, request: object) {
    const client = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl: url }));
    async function* requests() {
      yield create(ServerReflectionRequestSchema, { messageRequest: request as never });
    }
    for await (const { messageResponse } of client.serverReflectionInfo(requests())) return messageResponse;
    throw new Error('no answer');
  }

  it.each([ServerReflection, ServerReflectionAlpha])(
    '$typeName lists the services and gives their files',
    async (service) => {
      const { url } = await start();
      const list = await ask(url, service, { case: 'listServices', value: '' });
      expect((list.value as { service: { name: string }[] }).service.map(({ name }) => name)).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
      ]);
      const symbols = ['grpc.health.v1.Health', 'grpc.health.v1.Health.Check', 'grpc.health.v1.HealthCheckRequest'];
      for (const value of [...symbols, 'grpc.health.v1.HealthCheckRequest.service']) {
        const found = await ask(url, service, { case: 'fileContainingSymbol', value });
        const [file] = (found.value as { fileDescriptorProto: Uint8Array[] }).fileDescriptorProto;
        expect(fromBinary(FileDescriptorProtoSchema, file!).package).toBe('grpc.health.v1');
      }
      const error = await ask(url, service, { case: 'fileByFilename', value: 'absent.proto' });
      expect(error).toMatchObject({ case: 'errorResponse', value: { errorCode: Code.NotFound } });
      const none = await ask(url, service, { case: 'allExtensionNumbersOfType', value: 'absent.Type' });
      expect(none.case).toBe('errorResponse');
    },
  );
});

describe('tokens', () => {
  const token = 'a-token-of-some-length';
  const tokens: KnownToken[] = [{ hash: `sha256:${sha256(token)}`, actor: 'ann', roles: ['viewer'] }];

  it('open what is closed without them; health stays open on loopback', async () => {
    const { url } = await start({ tokens });
    const call = (authorization: string) => listServices(url, { authorization });
    expect((await fetch(`${url}/elsewhere`)).status).toBe(401);
    expect((await fetch(`${url}/elsewhere`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(404);
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    expect((await health.check({})).status).toBe(Status.SERVING);
    for (const [wrong, said] of [
      ['', 'Expected the header Authorization'],
      ['Bearer wrong', 'Expected a token that this server knows'],
      [`Basic ${token}`, 'Expected the header Authorization'],
    ] as const) {
      const refused = { code: Code.Unauthenticated, message: expect.stringContaining(said) };
      await expect(call(wrong)).rejects.toMatchObject(refused);
      const reply = await fetch(`${url}/elsewhere`, { headers: { authorization: wrong } });
      expect([reply.status, await reply.text()]).toEqual([401, expect.stringContaining(said)]);
    }
    await call(`bearer ${token}`);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      actor: 'anonymous',
      method: 'ServerReflectionInfo',
      reason: 'unauthenticated',
    });
  });

  it('have a quota a second', async () => {
    const { url } = await start({ tokens, requestsPerSecond: 2, openProbes: false });
    const once = () => listServices(url, { authorization: `Bearer ${token}` });
    await once();
    await once();
    const refused = await Promise.all([once(), once(), once()].map((call) => call.catch((error: unknown) => error)));
    expect(refused.some((error) => error instanceof ConnectError && error.code === Code.ResourceExhausted)).toBe(true);
  });
});

describe('TLS', () => {
  const pem = (name: string) => readFileSync(join(__dirname, '..', '..', 'fixtures', 'tls', name), 'utf8');
  const ca = pem('ca.pem');
  const keysOf = (name: string) => ({ cert: pem(`${name}.pem`), key: pem(`${name}.key.pem`) });

  it('is spoken by gRPC and by HTTP/1.1 on one port, and plain HTTP is not answered', async () => {
    const { url, port } = await start({ tls: keysOf('server') });
    expect(url).toBe(`https://127.0.0.1:${port}`);
    const nodeOptions = { ca };
    for (const transport of [
      createGrpcTransport({ baseUrl: url, nodeOptions }),
      createConnectTransport({ baseUrl: url, httpVersion: '1.1', nodeOptions }),
    ]) {
      expect((await createClient(Health, transport).check({})).status).toBe(Status.SERVING);
    }
    await expect(createClient(Health, createGrpcTransport({ baseUrl: url })).check({})).rejects.toThrow(/certificate/);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  it('with an authority for clients, a client without its certificate is not heard', async () => {
    const { url } = await start({ tls: { ...keysOf('server'), ca } });
    const check = (nodeOptions: object) =>
      createClient(Health, createConnectTransport({ baseUrl: url, httpVersion: '1.1', nodeOptions })).check({});
    expect((await check({ ca, ...keysOf('client') })).status).toBe(Status.SERVING);
    await expect(check({ ca })).rejects.toThrow();
  });
});

describe('signed tokens', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const claims = { sub: 'bob', roles: ['viewer', 'unheard-of'] };
  interface Signing {
    key?: KeyObject;
    issuer?: string;
    audience?: string;
    expires?: number | string;
  }
  const token = (
    given: object,
    { key = privateKey, issuer = 'https://issuer.test', audience = 'gate', expires = '5m' }: Signing = {},
  ) =>
    new SignJWT({ ...given })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime(expires)
      .sign(key);

  it('open what their roles allow, and only with a known key, subject, role, audience and time', async () => {
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
    const jwks = createHttpServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(keys),
    );
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    try {
      const verifySigned = createSignedTokens({
        issuer: 'https://issuer.test',
        audience: 'gate',
        jwksUri: `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/keys`,
        rolesClaim: 'roles',
      });
      const { url } = await start({ callers: createCallers({ tokens: [], loopback: true, verifySigned }) });
      const status = async (bearer: string) =>
        (await fetch(`${url}/elsewhere`, { headers: { authorization: `Bearer ${bearer}` } })).status;
      expect(await verifySigned(await token(claims))).toEqual({ key: 'jwt bob', actor: 'bob', roles: ['viewer'] });
      expect(await status(await token(claims))).toBe(404);
      expect(await status(await token({ ...claims, roles: 'viewer author' }))).toBe(404);
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token(claims)).split('.')[1]}.`;
      for (const wrong of [
        await token(claims, { key: other }),
        await token(claims, { expires: Math.floor(Date.now() / 1_000) - 3_600 }),
        await token(claims, { issuer: 'https://other.test' }),
        await token(claims, { audience: 'others' }),
        await token({ ...claims, roles: ['unheard-of'] }),
        await token({ roles: ['viewer'] }),
        unsigned,
      ]) {
        expect(await status(wrong)).toBe(401);
      }
    } finally {
      await new Promise((resolve) => jwks.close(resolve));
    }
  });
});
