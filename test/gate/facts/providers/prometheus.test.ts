import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PrometheusProviderConfig } from '../../../../src/releases/config/release-config';
import { prometheus } from '../../../../src/gate/facts/providers/prometheus';
import { startPrometheus, type PrometheusServer } from '../../../support/prometheus-server';

const NOW = 1_800_000_000_000;
const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };

let server: PrometheusServer;
beforeEach(async () => {
  server = await startPrometheus();
  server.now = () => NOW;
});
afterEach(() => server.close());

async function collect(over: Partial<PrometheusProviderConfig> = {}, signal = new AbortController().signal) {
  const times = { ttl: '15s', maxAge: '45s', timeout: '5s' };
  const config = { type: 'prometheus' as const, base: `${server.base}/`, query: 'm', ...times, ...over };
  const deps = { env: {}, configFolder: __dirname, configDocument: {} };
  return (await prometheus.create('level', config, {}, deps)).collect(target, signal);
}
const sample = (value: string, ageMs: number, labels = {}) => ({ name: 'm', labels, value, timeMs: NOW - ageMs });

describe('the time of a fact', () => {
  it("the time of a fact is the sample's own, also while a dead exporter's last sample is still answered", async () => {
    server.series = [sample('12.5', 299_999)];
    expect(await collect()).toMatchObject({ value: 12.5, observedAtMs: NOW - 299_999 });
    expect(server.queries.sort()).toEqual(['m', 'timestamp(m)']);
  });

  it.each([
    ['min', 2],
    ['max', 4],
    ['sum', 6],
    ['avg', 3],
    ['count', 2],
  ] as const)("the time of a fact is the oldest series' with the aggregation %s", async (aggregation, value) => {
    server.series = [sample('2', 1_000, { a: '1' }), sample('4', 30_500, { a: '2' })];
    expect(await collect({ aggregation })).toMatchObject({ value, observedAtMs: NOW - 30_500 });
  });

  it('the time of a fact is asked for just the series that the matchers choose', async () => {
    server.series = [sample('2', 1_000, { a: '1' }), sample('4', 30_500, { a: '2' })];
    expect(await collect({ query: 'm{a="1"}' })).toMatchObject({ value: 2, observedAtMs: NOW - 1_000 });
  });

  it('the time of a fact is that of the evaluation for an expression, which has lost the time', async () => {
    server.series = [sample('2', 200_000)];
    expect(await collect({ query: 'sum(m)' })).toMatchObject({ value: 2, observedAtMs: NOW });
    expect(server.queries).toEqual(['sum(m)']);
  });

  it('the time of a fact is what timestampQuery answers, where one is configured', async () => {
    server.series = [sample('2', 200_000, { a: '1' }), sample('4', 1_000, { a: '2' })];
    const found = await collect({ query: 'sum(m)', timestampQuery: 'min(timestamp(m))' });
    expect(found).toMatchObject({ value: 6, observedAtMs: NOW - 200_000 });
  });
});

it.each([
  ['m', true],
  ['job:m:rate5m', true],
  [' m{a="}",b=~\'x\'} ', true],
  ['{__name__="m"}', true],
  ['m offset 5m', true],
  ['m{a="1"} offset -5m', true],
  ['sum(m)', false],
  ['rate(m[5m])', false],
  ['m + 1', false],
  ['m{a="1"} > 3', false],
  ['-m', false],
  ['NaN', false],
  ['5', false],
])('%s is a selector whose time can be asked: %s', async (query, selects) => {
  server.answers.set(query, { status: 'success', data: { resultType: 'scalar', result: [1, '1'] } });
  await collect({ query }).catch(() => undefined);
  expect(server.queries.includes(`timestamp(${query})`)).toBe(selects);
});

const vector = (...values: unknown[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value })) },
});
it.each([
  ['several series without an aggregation', vector([1, '1'], [1, '2'])],
  ['no series', vector()],
  ['NaN', vector([1, 'NaN'])],
  ['+Inf', vector([1, '+Inf'])],
  ['an empty sample', vector([1, ''])],
  ['a series without a sample', vector(undefined)],
  ['series of another shape', { status: 'success', data: { resultType: 'vector', result: [3] } }],
  ['a sample of another shape', vector(['1', 1])],
  ['a matrix', { status: 'success', data: { resultType: 'matrix', result: [] } }],
  ['no data', { status: 'success' }],
  ['an error', { status: 'error', error: 'bad query' }],
])('%s is FactInvalid', async (_, document) => {
  server.series = [sample('1', 0)];
  server.answers.set('m', document);
  await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid' });
});

it.each([
  ['a time beyond all dates', vector([1, '1e18'])],
  ['no time', vector()],
])('%s is FactInvalid', async (_, document) => {
  server.series = [sample('1', 0)];
  server.answers.set('timestamp(m)', document);
  await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid' });
});

it('series that come or go between the two queries are asked for again', async () => {
  server.series = [sample('1', 0)];
  server.answers.set('timestamp(m)', vector([1, '1'], [1, '2']));
  await expect(collect()).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
});

it('the provider breaks off the other request when one fails', async () => {
  server.hung.add('timestamp(m)');
  server.answers.set('m', 'wrong');
  server.before = async () => {
    while (server.queries.length < 2) await new Promise(setImmediate);
  };
  await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid' });
  while (server.aborted.length === 0) await new Promise(setImmediate);
  expect(server.aborted).toEqual(['timestamp(m)']);
});
