import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';

let server: LevelServer;
beforeEach(async () => void (server = await startLevelServer()));
afterEach(() => server.close());

it('the LevelServer counts devices once for each idempotency key, and every request', async () => {
  for (const key of ['k1', 'k1', 'k2']) {
    const headers = { 'idempotency-key': key };
    const answer = await fetch(`${server.url}/devices`, { method: 'PATCH', headers, body: '{"target":500}' });
    expect(answer.status).toBe(202);
  }
  const counts: unknown = await (await fetch(`${server.url}/admin/requests`)).json();
  expect(counts).toMatchObject({ patches: 3, byIdempotencyKey: { k1: 2, k2: 1 }, targeted: 1000 });
});

it('the LevelServer lets a metric be set from outside', async () => {
  await fetch(`${server.url}/admin/metrics/level`, { method: 'PUT', body: '{"value":7,"timestamp":5}' });
  const answer = await fetch(`${server.url}/api/deployments/d/stages/s/metrics/level`);
  expect(await answer.json()).toEqual({ value: 7, timestamp: 5 });
});

it.each([
  ['GET', '/nowhere', undefined, 404],
  ['PUT', '/admin/metrics/level', '[', 400],
  ['PUT', '/admin/metrics/level', '3', 400],
])('%s %s with %s answers an error', async (method, path, body, status) => {
  expect((await fetch(`${server.url}${path}`, { method, body })).status).toBe(status);
});

it('the LevelServer notes a request that the caller broke off', async () => {
  server.setMetric('level', { behaviour: 'hang' });
  const controller = new AbortController();
  const asked = fetch(`${server.url}/api/deployments/d/stages/s/metrics/level`, { signal: controller.signal });
  const failed = expect(asked).rejects.toThrow();
  while (server.requests().metrics['level'] !== 1) await new Promise(setImmediate);
  controller.abort();
  await failed;
  while (server.requests().aborted['level'] !== 1) await new Promise(setImmediate);
  expect(server.requests().aborted).toEqual({ level: 1 });
});

it('the LevelServer forgets its requests when told to', async () => {
  await fetch(`${server.url}/devices`, { method: 'PATCH', body: '{"target":5}' });
  expect(server.requests()).toMatchObject({ patches: 1, byIdempotencyKey: { '': 1 }, targeted: 5 });
  expect((await fetch(`${server.url}/admin/requests`, { method: 'DELETE' })).status).toBe(200);
  expect(server.requests()).toEqual({ metrics: {}, aborted: {}, patches: 0, byIdempotencyKey: {}, targeted: 0 });
});

it('the LevelServer refuses a body over 1 MiB', async () => {
  const body = JSON.stringify('x'.repeat(1024 * 1024));
  expect((await fetch(`${server.url}/devices`, { method: 'PATCH', body })).status).toBe(400);
});

it('the LevelServer says when its port is taken', async () => {
  await expect(startLevelServer({ port: Number(new URL(server.url).port) })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

it.each(['SIGINT', 'SIGTERM'] as const)(
  'the LevelServer as a process prints its address and ends at %s',
  async (signal) => {
    const script = resolve('src/dev/level-server.ts');
    const child = spawn(process.execPath, ['-r', resolve('test/support/ts-require.cjs'), script], { stdio: 'pipe' });
    const ended = new Promise((done) => child.once('exit', done));
    try {
      const line = await new Promise<string>((done) => child.stdout.once('data', (data) => done(String(data))));
      const { url, pid } = JSON.parse(line) as { url: string; pid: number };
      expect(pid).toBe(child.pid);
      expect((await fetch(`${url}/admin/requests`)).status).toBe(200);
      child.kill(signal);
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
