import { describe, expect, it } from '@jest/globals';
import type { CollectRequest } from '../../../src/gate/facts/collector';
import { aCollector } from './a-collector';
import type { FactProvider } from '../../../src/gate/facts/fact';
import type { FactMetrics } from '../../../src/gate/facts/fact-metrics';
import { valueFault } from '../../../src/gate/facts/fact-value';
import {
  createFactRegistry,
  factSchema,
  registryFromConfig,
  type RegisteredProvider,
} from '../../../src/gate/facts/registry';

const target = { deploymentId: 'fw-1', stage: 'canary', stageIndex: 0, attributes: {}, stageAttributes: {} };
const NOW = 1_800_000_000_000;

function entry(factId: string, collect: FactProvider['collect'], over: Partial<RegisteredProvider> = {}) {
  const provider: FactProvider = { factId, description: '', schema: {}, source: `fake ${factId}`, collect };
  return { provider, type: 'fake', configKey: factId, ttlMs: 15_000, maxAgeMs: 45_000, timeoutMs: 600_000, ...over };
}
function ask(entries: RegisteredProvider[], over: Partial<CollectRequest> = {}): CollectRequest {
  const factIds = entries.map((each) => each.provider.factId);
  const circuitBreaker = { failures: 5, halfOpenAfterMs: 60_000 };
  return {
    providers: createFactRegistry(entries),
    factIds,
    target,
    allowedClockSkewMs: 2_000,
    circuitBreaker,
    ...over,
  };
}

describe('a circuit breaker that has opened', () => {
  it('a circuit breaker that has opened lets one request through after a while, and a good answer closes it', async () => {
    let asked = 0;
    let healthy = false;
    const source = entry('a', () => {
      asked++;
      return healthy ? Promise.resolve({ value: 1 }) : Promise.reject(new Error('refused'));
    });
    const collector = aCollector();
    const request = ask([source], { circuitBreaker: { failures: 2, halfOpenAfterMs: 10 }, bypassCache: true });
    await collector.collect(request);
    await collector.collect(request);
    healthy = true;
    let facts: unknown[] = [];
    while (facts.length === 0) {
      facts = (await collector.collect(request)).facts;
      await new Promise(setImmediate);
    }
    expect(asked).toBe(3);
    expect((await collector.collect(request)).faults).toEqual([]);
  });

  it('an answer of another shape does not open it: the source did answer', async () => {
    let asked = 0;
    const source = entry('a', () => Promise.resolve({ value: ++asked > 0 ? (null as never) : 1 }));
    const collector = aCollector();
    const request = ask([source], { circuitBreaker: { failures: 1, halfOpenAfterMs: 60_000 } });
    for (let i = 0; i < 3; i++) await collector.collect(request);
    expect(asked).toBe(3);
  });
});

it('a cached fact that grows too old while a slower source answers is asked for again', async () => {
  let nowMs = NOW;
  let asked = 0;
  const fast = entry('fast', () => Promise.resolve({ value: ++asked, observedAtMs: nowMs }), { ttlMs: 60_000 });
  const slow = entry('slow', () => {
    nowMs += 10_000;
    return Promise.resolve({ value: 1 });
  });
  const collector = aCollector({ clock: { now: () => nowMs } });
  await collector.collect(ask([fast]));
  nowMs += 40_000;
  const { facts, faults, completedAtMs } = await collector.collect(ask([fast, slow]));
  expect(faults).toEqual([]);
  expect(facts[0]).toMatchObject({ id: 'fast', value: 2, observedAtMs: completedAtMs });
});

it('metrics hear of each request, cache hit, age and failure', async () => {
  const heard: unknown[] = [];
  const metrics: FactMetrics = {
    observeLatency: (...args) => heard.push(['latency', ...args]),
    cacheHit: (...args) => heard.push(['hit', ...args]),
    observeAge: (...args) => heard.push(['age', ...args]),
    failure: (...args) => heard.push(['failure', ...args]),
  };
  let nowMs = NOW;
  const good = entry('good', () => {
    nowMs += 1_500;
    return Promise.resolve({ value: 1, observedAtMs: NOW - 500 });
  });
  const bad = entry('bad', () => Promise.reject(new Error('refused')), { type: 'broken' });
  const collector = aCollector({ clock: { now: () => nowMs }, metrics });
  await collector.collect(ask([good]));
  expect(heard.splice(0)).toEqual([
    ['latency', 'fake', 'good', 1.5],
    ['age', 'good', 2],
  ]);
  await collector.collect(ask([good]));
  expect(heard.splice(0)).toEqual([
    ['hit', 'fake'],
    ['age', 'good', 2],
  ]);
  await collector.collect(ask([bad], { factIds: ['bad', 'nobody'] }));
  expect(heard).toEqual([
    ['latency', 'broken', 'bad', 0],
    ['failure', 'FactSourceUnavailable', 'broken'],
    ['failure', 'FactMissing', 'none'],
  ]);
});

it('what a provider throws is told, whatever it is', async () => {
  const { faults } = await aCollector().collect(ask([entry('a', () => Promise.reject('tea break'))]));
  expect(faults).toMatchObject([{ type: 'FactSourceUnavailable', message: 'Fact a: fake a failed: tea break' }]);
});

it.each([
  [1, {}, undefined],
  [null, {}, 'is null'],
  [undefined, {}, 'is absent'],
  [{ 'a/b': [{ '~': 2 ** 53 }] }, {}, 'holds a number beyond 2^53 or not finite at /a~1b/0/~0'],
  [2 ** 53 - 1, { type: 'integer' }, undefined],
  [1, { $ref: '#/$defs/none' }, expect.stringContaining('cannot be checked, its schema is broken')],
])('the value %j against the schema %j: %j', (value, schema, expected) => {
  expect(valueFault(value, schema)).toEqual(expected);
});

it('the schema of a fact comes with the definitions that it may refer to', () => {
  const properties = { level: { $ref: '#/$defs/count' } };
  const $defs = { count: { type: 'integer' } };
  expect(factSchema({ properties, $defs }, 'level')).toEqual({ $ref: '#/$defs/count', $defs });
  expect(factSchema({ properties, definitions: {} }, 'level')).toMatchObject({ definitions: {} });
  expect(factSchema({ properties }, 'toString')).toEqual({});
  expect(valueFault('7', factSchema({ properties, $defs }, 'level'))).toContain('must be integer');
});

describe('a registry', () => {
  const deps = { env: {}, configFolder: __dirname, configDocument: {} };
  it('a registry names an unknown type of provider', async () => {
    const facts = { level: { type: 'carrierPigeon' } } as never;
    await expect(registryFromConfig({ facts, inputSchema: {}, kinds: [], deps })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [{ factId: 'level', where: 'facts.level', message: expect.stringContaining("'carrierPigeon'") }],
    });
  });
  it("a registry holds the caller's own providers beside the configured ones", async () => {
    const extra = [entry('own', () => Promise.resolve({ value: 1 }))];
    const registry = await registryFromConfig({ facts: {}, inputSchema: {}, kinds: [], deps, extra });
    expect([...registry.keys()]).toEqual(['own']);
  });
  it('a registry does not hide a fault in a provider kind', async () => {
    const kinds = [
      {
        type: 'config' as const,
        create: () => {
          throw new TypeError('bug');
        },
      },
    ];
    const facts = { level: { type: 'config' as const, path: '/a' } };
    await expect(registryFromConfig({ facts, inputSchema: {}, kinds, deps })).rejects.toThrow(TypeError);
  });
});
