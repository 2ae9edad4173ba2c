import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { prometheus } from '../../../src/facts/providers/prometheus';

let server: Server;
let answer: unknown;
let base: string;
beforeEach(async () => {
  server = createServer((_, response) => response.end(JSON.stringify(answer)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };
const vector = (...values: unknown[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value })) },
});
async function collect(aggregation?: 'min' | 'max' | 'sum' | 'avg' | 'count') {
  const times = { ttl: '15s', maxAge: '45s', timeout: '5s' };
  const config = { type: 'prometheus' as const, base, query: 'up', aggregation, ...times };
  const deps = { env: {}, configFolder: __dirname, configDocument: {} };
  return (await prometheus.create('level', config, {}, deps)).collect(target, new AbortController().signal);
}

it("gives the sample's value and its own time", async () => {
  answer = vector([1_800_000_000.5, '12.5']);
  expect(await collect()).toMatchObject({ value: 12.5, observedAtMs: 1_800_000_000_500 });
});

it.each([
  ['min', 2],
  ['max', 4],
  ['sum', 6],
  ['avg', 3],
  ['count', 2],
] as const)('%s of several series is observed when the oldest was', async (aggregation, value) => {
  answer = vector([20, '2'], [10, '4']);
  expect(await collect(aggregation)).toMatchObject({ value, observedAtMs: 10_000 });
});

it.each([
  ['several series without an aggregation', vector([1, '1'], [1, '2'])],
  ['no series', vector()],
  ['NaN', vector([1, 'NaN'])],
  ['+Inf', vector([1, '+Inf'])],
  ['an empty sample', vector([1, ''])],
  ['a matrix', { status: 'success', data: { resultType: 'matrix', result: [] } }],
  ['an error', { status: 'error', error: 'bad query' }],
])('%s is FactInvalid', async (_, document) => {
  answer = document;
  await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid' });
});
