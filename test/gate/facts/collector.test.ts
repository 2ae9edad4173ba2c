import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProviderConfig } from '../../../src/releases/config/release-config';
import { startLevelServer, type LevelServer } from '../../../src/dev/level-server';
import type { CollectRequest } from '../../../src/gate/facts/collector';
import { aCollector } from './a-collector';
import type { FactProvider } from '../../../src/gate/facts/fact';
import { PROVIDER_KINDS } from '../../../src/gate/facts/providers';
import { createFactRegistry, registryFromConfig, type RegisteredProvider } from '../../../src/gate/facts/registry';
import type { JsonSchema } from '../../../src/kernel/json';

const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };
const NOW = 1_800_000_000_000;

function entry(factId: string, collect: FactProvider['collect'], over: Partial<RegisteredProvider> = {}) {
  const provider: FactProvider = { factId, description: '', schema: {}, source: `fake ${factId}`, collect };
  return { provider, type: 'fake', configKey: factId, ttlMs: 15_000, maxAgeMs: 45_000, timeoutMs: 600_000, ...over };
}
function ask(entries: RegisteredProvider[], over: Partial<CollectRequest> = {}): CollectRequest {
  return {
    providers: createFactRegistry(entries),
    factIds: entries.map((each) => each.provider.factId),
    target,
    allowedClockSkewMs: 2_000,
    circuitBreaker: { failures: 5, halfOpenAfterMs: 60_000 },
    ...over,
  };
}
const answering =
  (observedAtMs?: number, value: unknown = 1) =>
  () =>
    Promise.resolve({ value: value as never, observedAtMs });

describe('ages, judged when the snapshot is complete', () => {
  it.each([
    ['just under the max age', 44_999, []],
    ['exactly the max age', 45_000, []],
    ['just over the max age', 45_001, ['FactStale']],
    ['exactly the skew in the future', -2_000, []],
    ['just beyond the skew', -2_001, ['FactInvalid']],
  ])('%s', async (_, ageMs, types) => {
    const collector = aCollector({ clock: { now: () => NOW } });
    const { facts, faults } = await collector.collect(ask([entry('a', answering(NOW - ageMs))]));
    expect(faults.map((fault) => fault.type)).toEqual(types);
    expect(facts).toHaveLength(1);
    if (types[0] === 'FactStale') expect(faults[0]).toMatchObject({ factId: 'a', ageMs, maxAgeMs: 45_000 });
  });

  it('a fact without a time was observed when the answer came', async () => {
    const collector = aCollector({ clock: { now: () => NOW } });
    const { facts } = await collector.collect(ask([entry('a', answering())]));
    expect(facts[0]).toMatchObject({ observedAtMs: NOW, collectedAtMs: NOW, value: 1 });
  });
});

it('the collector reports all failing facts together, each with its type', async () => {
  const collector = aCollector({ clock: { now: () => NOW } });
  const failing = () => Promise.reject(new Error('refused'));
  const entries = [entry('down', failing), entry('none', answering(NOW, null)), entry('old', answering(NOW - 99_999))];
  const { faults } = await collector.collect(ask(entries, { factIds: ['down', 'nobody', 'none', 'old'] }));
  expect(faults.map((fault) => [fault.factId, fault.type])).toEqual([
    ['down', 'FactSourceUnavailable'],
    ['nobody', 'FactMissing'],
    ['none', 'FactInvalid'],
    ['old', 'FactStale'],
  ]);
});

it.each([2 ** 53, -(2 ** 53), NaN, Infinity, { deep: [2 ** 60] }])(
  'the collector refuses the unsafe number in %j',
  async (value) => {
    const { faults } = await aCollector().collect(ask([entry('a', answering(undefined, value))]));
    expect(faults).toMatchObject([{ type: 'FactInvalid', factId: 'a' }]);
  },
);

it('the collector checks a value against the schema of its fact', async () => {
  const bad = entry('a', answering(undefined, '6'));
  const provider = { ...bad.provider, schema: { type: 'integer' } };
  const { faults } = await aCollector().collect(ask([{ ...bad, provider }]));
  expect(faults[0]?.message).toContain('must be integer');
});

describe('cache', () => {
  function counting(nowMs: () => number, over: Partial<RegisteredProvider> = {}) {
    let asked = 0;
    const one = entry('a', () => Promise.resolve({ value: ++asked, observedAtMs: nowMs() }), over);
    return { one, asked: () => asked };
  }
  it.each([
    [14_999, 1],
    [15_000, 2],
  ])('after %d ms of a TTL of 15 s the source was asked %d times', async (elapsed, times) => {
    let nowMs = NOW;
    const { one, asked } = counting(() => nowMs);
    const collector = aCollector({ clock: { now: () => nowMs } });
    await collector.collect(ask([one]));
    nowMs += elapsed;
    await collector.collect(ask([one]));
    expect(asked()).toBe(times);
  });
  it("the fact collector's cache asks again rather than serve a cached fact that is too old", async () => {
    let nowMs = NOW;
    const { one, asked } = counting(() => nowMs, { ttlMs: 60_000 });
    const collector = aCollector({ clock: { now: () => nowMs } });
    await collector.collect(ask([one]));
    nowMs += 45_001;
    expect((await collector.collect(ask([one]))).faults).toEqual([]);
    expect(asked()).toBe(2);
  });
  it.each<[string, Partial<CollectRequest>, Partial<RegisteredProvider>, number]>([
    ['the same question', {}, {}, 1],
    ['another stage', { target: { ...target, stage: 'fleet' } }, {}, 2],
    ['another provider configuration', {}, { configKey: 'new release' }, 2],
    ['a bypass', { bypassCache: true }, {}, 2],
  ])('%s', async (_, request, change, times) => {
    const { one, asked } = counting(() => NOW);
    const collector = aCollector({ clock: { now: () => NOW } });
    await collector.collect(ask([one]));
    await collector.collect(ask([{ ...one, ...change }], request));
    expect(asked()).toBe(times);
  });
  it("the fact collector's cache keeps no more facts than it may", async () => {
    const { one, asked } = counting(() => NOW);
    const collector = aCollector({ clock: { now: () => NOW }, maxCachedFacts: 1 });
    await collector.collect(ask([one]));
    await collector.collect(ask([one], { target: { ...target, stage: 'fleet' } }));
    await collector.collect(ask([one]));
    expect(asked()).toBe(3);
  });
});

it('a hung provider that ignores its signal costs its time-out, and the others are still collected', async () => {
  let signalled = false;
  const hung = entry(
    'hung',
    (_, signal) => new Promise(() => signal.addEventListener('abort', () => (signalled = true))),
    { timeoutMs: 20 },
  );
  const { facts, faults } = await aCollector().collect(ask([hung, entry('ok', answering())]));
  expect(facts.map((fact) => fact.id)).toEqual(['ok']);
  expect(faults[0]?.message).toContain('did not answer within 20 ms');
  expect(signalled).toBe(true);
});

it('the collector stops asking a source that fails again and again, and says so', async () => {
  let asked = 0;
  const down = entry('a', () => Promise.reject(new Error(`no ${++asked}`)));
  const collector = aCollector();
  const request = ask([down], { circuitBreaker: { failures: 2, halfOpenAfterMs: 60_000 } });
  await collector.collect(request);
  await collector.collect(request);
  const { faults } = await collector.collect(request);
  expect(asked).toBe(2);
  expect(faults[0]).toMatchObject({
    type: 'FactSourceUnavailable',
    message: expect.stringContaining('circuit breaker is open'),
  });
});

describe('over the wire', () => {
  let server: LevelServer;
  beforeEach(async () => void (server = await startLevelServer()));
  afterEach(() => server.close());
  const registry = (facts: Record<string, unknown>, configDocument = {}, inputSchema: JsonSchema = {}) =>
    registryFromConfig({
      facts: facts as Record<string, ProviderConfig>,
      inputSchema,
      kinds: PROVIDER_KINDS,
      deps: { env: { TOKEN: 'hunter2' }, configFolder: __dirname, configDocument },
    });
  const level = (over = {}) => ({ type: 'levelServer', base: server.url, ...over });

  it('many callers share one request', async () => {
    server.setMetric('pending_delta', { value: 100 });
    const providers = await registry({ pending_delta: level() });
    const collector = aCollector();
    const request = { ...ask([]), providers, factIds: ['pending_delta'] };
    const all = await Promise.all(Array.from({ length: 50 }, () => collector.collect(request)));
    expect(all.every(({ facts }) => facts[0]?.value === 100)).toBe(true);
    expect(server.requests().metrics).toEqual({ pending_delta: 1 });
  });

  it.each([
    ['a value and RFC 3339 time', { value: 3, timestamp: new Date().toISOString() }, undefined],
    ['a value and epoch milliseconds', { value: 3, timestamp: Date.now() }, undefined],
    ['a value alone', { value: 3 }, undefined],
    ['an old time', { value: 3, ageMs: 60_000 }, 'FactStale'],
    ['a time of another form', { value: 3, timestamp: 'yesterday' }, 'FactInvalid'],
    ['a day that does not exist', { value: 3, timestamp: '2026-02-30T00:00:00Z' }, 'FactInvalid'],
    ['null', { value: null }, 'FactInvalid'],
    ['no value', {}, 'FactInvalid'],
    ['an integer beyond 2^53', { value: 2 ** 53 + 2 }, 'FactInvalid'],
    ['another shape', { value: 3, behaviour: 'wrongShape' as const }, 'FactInvalid'],
    ['half a body', { value: 'long enough to be cut', behaviour: 'halfBody' as const }, 'FactSourceUnavailable'],
    ['status 503', { behaviour: { status: 503 } }, 'FactSourceUnavailable'],
    ['status 404', { behaviour: { status: 404 } }, 'FactSourceUnavailable'],
    ['nothing in time', { behaviour: 'hang' as const }, 'FactSourceUnavailable'],
  ])('LevelServer answers %s', async (_, metric, type) => {
    server.setMetric('level', metric);
    const timeout = 'behaviour' in metric && metric.behaviour === 'hang' ? '300ms' : '10m';
    const providers = await registry({ level: level({ timeout }) });
    const { faults } = await aCollector().collect({ ...ask([]), providers, factIds: ['level'] });
    expect(faults.map((fault) => fault.type)).toEqual(type === undefined ? [] : [type]);
  });

  it('http, config and a secret header work side by side, and no secret is shown', async () => {
    server.setMetric('level', { value: { deep: [7] }, timestamp: Date.now() });
    const url = `${server.url}/api/deployments/{deploymentId}/stages/{stage}/metrics/level?token=abc`;
    const auth = { bearerToken: { env: 'TOKEN' } };
    const providers = await registry(
      {
        pointer: { type: 'http', url, value: '/value/deep/0', time: '/timestamp', ...auth },
        path: { type: 'http', url, value: 'value.deep[0]', time: 'timestamp', ...auth },
        missing: { type: 'http', url, value: '/value/none', bearerToken: { env: 'NO_SUCH' } },
        limit: { type: 'config', path: '/limits/maxDelta' },
      },
      { limits: { maxDelta: 500 } },
    );
    const factIds = ['pointer', 'path', 'missing', 'limit'];
    const result = await aCollector().collect({ ...ask([]), providers, factIds });
    expect(result.facts.map(({ id, value }) => [id, value])).toEqual([
      ['limit', 500],
      ['path', 7],
      ['pointer', 7],
    ]);
    expect(result.faults).toMatchObject([{ factId: 'missing', message: expect.stringContaining('NO_SUCH') }]);
    expect(JSON.stringify(result)).not.toMatch(/abc|hunter2/);
  });

  it('a registry names all faults of a configuration together', async () => {
    const facts = {
      decision_time: level(),
      bad_url: level({ base: 'ftp://u:p@h' }),
      bad_path: { type: 'config', path: '/none' },
      bad_module: { type: 'module', module: './no-such.js' },
    };
    await expect(registry(facts)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: ['bad_url', 'bad_path', 'bad_module', 'decision_time'].map((factId) => ({ factId })),
    });
  });
});

it('a registry refuses two providers for one fact', () => {
  expect(() => createFactRegistry([entry('a', answering()), entry('a', answering())])).toThrow(
    'Expected one provider for fact a',
  );
});
