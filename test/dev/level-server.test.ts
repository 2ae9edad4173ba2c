import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startLevelServer, type LevelServer } from '../../src/dev/level-server';

let server: LevelServer;
beforeEach(async () => void (server = await startLevelServer()));
afterEach(() => server.close());

it('counts devices once for each idempotency key, and every request', async () => {
  for (const key of ['k1', 'k1', 'k2']) {
    const headers = { 'idempotency-key': key };
    const answer = await fetch(`${server.url}/devices`, { method: 'PATCH', headers, body: '{"target":500}' });
    expect(answer.status).toBe(202);
  }
  const counts: unknown = await (await fetch(`${server.url}/admin/requests`)).json();
  expect(counts).toMatchObject({ patches: 3, byIdempotencyKey: { k1: 2, k2: 1 }, targeted: 1000 });
});

it('sets a metric from outside', async () => {
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

it('notes a request that the asker broke off', async () => {
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
