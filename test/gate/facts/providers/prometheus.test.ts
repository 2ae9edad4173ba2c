import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { FactTarget } from '../../../../src/gate/facts/fact';
import { prometheus } from '../../../../src/gate/facts/providers/prometheus';
import type { PrometheusProviderConfig } from '../../../../src/releases/config/release-config';
import { startPrometheus, type PrometheusServer } from '../../../support/prometheus-server';

const target: FactTarget = {
  deploymentId: 'fw-1',
  stage: 'canary',
  stageIndex: 0,
  attributes: { team: 'a"b', service: 'api.v2', window: '5m', limit: 3 },
  stageAttributes: { region: 'eu' },
};

let server: PrometheusServer;
let nowMs: number;
beforeEach(async () => {
  server = await startPrometheus();
  nowMs = Date.now();
  server.now = () => nowMs;
});
afterEach(() => server.close());

async function collect(over: Partial<PrometheusProviderConfig> = {}, signal = new AbortController().signal) {
  const times = { ttl: '15s', maxAge: '2m', timeout: '5s' };
  const config = { type: 'prometheus' as const, base: `${server.base}/`, query: 'm', ...times, ...over };
  const deps = { env: {}, configFolder: __dirname, configDocument: {} };
  return (await prometheus.create('level', config, {}, deps)).collect(target, signal);
}
const sample = (value: string, ageMs: number, labels = {}, name = 'm') => ({
  name,
  labels,
  value,
  timeMs: nowMs - ageMs,
});
const vector = (...values: unknown[]) => ({
  status: 'success',
  data: { resultType: 'vector', result: values.map((value) => ({ metric: {}, value })) },
});
const seconds = (ms: number): string => String(ms / 1000);

describe('the time of a Prometheus fact', () => {
  it("is the sample's own, also while a dead exporter's last sample is still answered", async () => {
    server.series = [sample('12.5', 299_999)];
    expect(await collect()).toMatchObject({ value: 12.5, observedAtMs: nowMs - 299_999 });
    expect(server.queries.sort()).toEqual(['m', 'min(timestamp(m))']);
  });

  it.each([
    ['min', 2],
    ['max', 4],
    ['sum', 6],
    ['avg', 3],
    ['count', 2],
  ] as const)("is the oldest series' with the aggregation %s", async (aggregation, value) => {
    server.series = [sample('2', 1_000, { a: '1' }), sample('4', 30_500, { a: '2' })];
    expect(await collect({ aggregation })).toMatchObject({ value, observedAtMs: nowMs - 30_500 });
  });

  it('is asked for just the series that the matchers choose', async () => {
    server.series = [sample('2', 1_000, { a: '1' }), sample('4', 30_500, { a: '2' })];
    expect(await collect({ query: 'm{a="1"}' })).toMatchObject({ value: 2, observedAtMs: nowMs - 1_000 });
  });

  it('is the oldest of all selectors of an expression', async () => {
    server.series = [sample('2', 40_000), sample('4', 1_000, {}, 'n')];
    server.answers.set('sum(rate(m[5m])) / sum(n)', vector([1, '0.5']));
    const found = await collect({ query: 'sum(rate(m[5m])) / sum(n)' });
    expect(found).toMatchObject({ value: 0.5, observedAtMs: nowMs - 40_000 });
    expect(server.queries.sort()).toEqual(['min(timestamp(m))', 'min(timestamp(n))', 'sum(rate(m[5m])) / sum(n)']);
  });

  it('counts a deliberate offset back', async () => {
    server.series = [sample('2', 3_601_000)];
    server.answers.set('m offset 1h', vector([1, '2']));
    expect(await collect({ query: 'm offset 1h' })).toMatchObject({ value: 2, observedAtMs: nowMs - 1_000 });
  });

  it('is that of the question where the query looks at no samples', async () => {
    server.answers.set('time()', vector([1, '5']));
    const { observedAtMs } = await collect({ query: 'time()' });
    expect(observedAtMs).toBeGreaterThanOrEqual(nowMs);
    expect(server.queries).toEqual(['time()']);
  });

  it('is what timestampQuery answers, where one is configured', async () => {
    server.series = [sample('2', 200_000, { a: '1' }), sample('4', 1_000, { a: '2' })];
    const found = await collect({ query: 'sum(m)', timestampQuery: 'min(timestamp(m))' });
    expect(found).toMatchObject({ value: 6, observedAtMs: nowMs - 200_000 });
  });

  it('comes from questions that are all asked at one time', async () => {
    server.series = [sample('1', 0)];
    await collect();
    expect(server.times).toHaveLength(2);
    expect(new Set(server.times).size).toBe(1);
  });

  it('is stale for a selector without a present sample, although a rate over it still answers', async () => {
    server.answers.set('rate(m[10m])', vector([1, '0']));
    await expect(collect({ query: 'rate(m[10m])' })).rejects.toMatchObject({
      type: 'FactStale',
      message: expect.stringContaining('has no present sample of m'),
    });
  });

  it.each([
    ['milliseconds', seconds(1.8e15), 'it looks like milliseconds'],
    ['a time beyond all dates', '1e18', 'expected epoch seconds'],
  ])('%s for a time are FactInvalid', async (_, value, said) => {
    server.series = [sample('1', 0)];
    server.answers.set('t', vector([1, value]));
    const asked = collect({ timestampQuery: 't' });
    await expect(asked).rejects.toMatchObject({ type: 'FactInvalid', message: expect.stringContaining(said) });
  });
});

describe('an answer of Prometheus', () => {
  it.each([
    ['several series without an aggregation', vector([1, '1'], [1, '2']), 'answered 2 series to m'],
    ['no series', vector(), 'answered no series to m; where that is normal, facts.level.onMissing'],
    ['NaN', vector([1, 'NaN']), 'NaN, as a division of 0 by 0 gives'],
    ['+Inf', vector([1, '+Inf']), '+Inf, as a division by 0 gives'],
    ['an empty sample', vector([1, '']), 'is no number'],
    ['a series without a sample', vector(undefined), 'without a sample'],
    ['series of another shape', { status: 'success', data: { resultType: 'vector', result: [3] } }, 'no object'],
    ['a sample of another shape', vector(['1', 1]), 'without a sample'],
    ['a matrix', { status: 'success', data: { resultType: 'matrix', result: [] } }, 'answered a matrix'],
    ['a text', { status: 'success', data: { resultType: 'string', result: [1, 'a'] } }, 'answered a string'],
    ['no data', { status: 'success' }, 'answered no result'],
    ['an error', { status: 'error', errorType: 'bad_data', error: 'bad query' }, 'status error (bad_data: bad query)'],
    [
      'a native histogram',
      { status: 'success', data: { resultType: 'vector', result: [{ metric: {}, histogram: [1, {}] }] } },
      'native histogram',
    ],
  ])('with %s is FactInvalid, and says what it is', async (_, document, said) => {
    server.series = [sample('1', 0)];
    server.answers.set('m', document);
    await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid', message: expect.stringContaining(said) });
  });

  it.each([
    ['warnings', { warnings: ['store a timed out'] }, 'store a timed out'],
    ['isPartial', { isPartial: true }, 'isPartial: true'],
  ])('that is partial (%s) is FactInvalid with the words of the source', async (_, part, words) => {
    server.series = [sample('1', 0)];
    server.answers.set('m', { ...vector([1, '7']), ...part });
    await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid', message: expect.stringContaining(words) });
    expect(await collect({ allowPartial: true })).toMatchObject({ value: 7, warnings: [words] });
  });

  it('with infos is whole', async () => {
    server.series = [sample('1', 0)];
    server.answers.set('m', { ...vector([1, '7']), infos: ['metric might not be a counter'], warnings: [] });
    const found = await collect();
    expect(found.value).toBe(7);
    expect(found.warnings).toBeUndefined();
  });

  it.each([400, 422])('of status %d is FactInvalid with its reason and the query as it was written', async (status) => {
    server.status = status;
    server.answers.set('m{a="x y"}', { status: 'error', errorType: 'bad_data', error: 'unexpected "x"' });
    await expect(collect({ query: 'm{a="x y"}' })).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringMatching(/refused the query.*bad_data: unexpected "x"; asked was m\{a="x y"\}/),
    });
  });

  it.each([401, 403, 404, 408, 429, 503])('of status %d is FactSourceUnavailable', async (status) => {
    server.status = status;
    server.answers.set('m', {});
    await expect(collect()).rejects.toMatchObject({ type: 'FactSourceUnavailable' });
  });

  it('without data gives the value that is configured for it, marked as such', async () => {
    expect(await collect({ onMissing: { use: 0 } })).toEqual({ value: 0, isDefault: true });
  });

  it.each([
    ['a failure', () => void (server.status = 503)],
    ['an answer of another shape', () => void server.answers.set('m', { status: 'success' })],
  ])('that is %s is never taken for one without data', async (_, arrange) => {
    server.answers.set('m', vector());
    arrange();
    await expect(collect({ onMissing: { use: 0 } })).rejects.toThrow();
  });
});

describe('the parameters of a query', () => {
  it('are escaped for the text, the regular expression or the bare place that they land in', async () => {
    const query =
      'm{team="{attributes.team}",s=~"{attributes.service}-.*",r="{stage_attributes.region}"} > {attributes.limit}';
    const asked = 'm{team="a\\"b",s=~"api\\\\.v2-.*",r="eu"} > 3';
    server.answers.set(asked, vector([1, '4']));
    server.answers.set('min(timestamp(m{team="a\\"b",s=~"api\\\\.v2-.*",r="eu"}))', vector([1, seconds(nowMs)]));
    expect(await collect({ query })).toMatchObject({ value: 4 });
  });

  it('outside quotes are numbers and durations alone', async () => {
    server.answers.set('rate(m[5m])', vector([1, '4']));
    server.series = [sample('1', 0)];
    expect(await collect({ query: 'rate(m[{attributes.window}])' })).toMatchObject({ value: 4 });
    await expect(collect({ query: 'm > {attributes.service}' })).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringContaining('takes a number or a duration, not "api.v2"'),
    });
  });

  it('that the deployment lacks are an error when they are needed', async () => {
    await expect(collect({ query: 'm{a="{attributes.risk}"}' })).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringContaining(
        'm{a="{attributes.risk}"} needs attributes.risk, which the deployment does not have',
      ),
    });
    expect(server.queries).toEqual([]);
  });
});

it('a query breaks off the others when one fails', async () => {
  server.hung.add('min(timestamp(m))');
  server.answers.set('m', 'wrong');
  server.before = async () => {
    while (server.queries.length < 2) await new Promise(setImmediate);
  };
  await expect(collect()).rejects.toMatchObject({ type: 'FactInvalid' });
  while (server.aborted.length === 0) await new Promise(setImmediate);
  expect(server.aborted).toEqual(['min(timestamp(m))']);
});
