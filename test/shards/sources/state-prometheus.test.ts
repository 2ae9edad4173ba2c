import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import type { StateSource } from '../../../src/rules/execution/state-source';
import { parseSettings } from '../../../src/settings/load-settings';
import { openShards } from '../../../src/shards/service/open-shards';
import { stateOfFile } from '../../../src/shards/sources/state-file';
import { openStateMetrics } from '../../../src/shards/sources/state-prometheus';
import { startPrometheus, type PrometheusServer, type Series } from '../../support/prometheus-server';
import { prometheusProgram, startRealPrometheus, type RealPrometheus } from '../../support/real-prometheus';

const SECOND = 1_000;
const ready = (...ids: string[]): JsonObject[] => ids.map((id) => ({ id }));

interface TestServer {
  base: string;
  /** these are all series from now on */
  show(series: readonly Omit<Series, 'timeMs'>[], ageMs?: number): Promise<void>;
  stop(): Promise<void>;
}

const labelsOf = (labels: Record<string, string> = {}): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');

const REAL = prometheusProgram();
const SERVERS: [string, (() => Promise<TestServer>) | undefined][] = [
  [
    'the stand-in',
    async () => {
      const server: PrometheusServer = await startPrometheus();
      return {
        base: server.base,
        show: async (series, ageMs = 0) => {
          const timeMs = Date.now() - ageMs;
          server.series = series.map((one) => ({ ...one, timeMs }));
        },
        stop: () => server.close(),
      };
    },
  ],
  [
    'a real Prometheus',
    REAL === undefined
      ? undefined
      : async () => {
          const server: RealPrometheus = await startRealPrometheus(REAL);
          return {
            base: server.base,
            show: (series, ageMs) => {
              const time = ageMs === undefined ? '' : ` ${Date.now() - ageMs}`;
              return server.expose(
                series.map(({ name, labels, value }) => `${name}{${labelsOf(labels)}} ${value}${time}`).join('\n'),
              );
            },
            stop: () => server.stop(),
          };
        },
  ],
];

function sourceOf(url: string, prometheus: object, document: JsonObject, maxAge = '45s'): StateSource {
  const base: StateSource = { read: async () => ({ document, source: 'the base', guardsVersion: true }) };
  const shards = { state: { maxAge, prometheus: { url, ...prometheus } } };
  const { state } = parseSettings({ shards } as unknown as JsonObject, { file: 'settings.json' }, '/').shards;
  const maxAgeMs = Number(/\d+/.exec(maxAge)![0]) * SECOND;
  return openStateMetrics(state.prometheus!, {
    maxAgeMs,
    secrets: { env: { TOKEN: 't' }, configFolder: '/', identityFile: undefined },
  })(base);
}
const read = (url: string, prometheus: object, document: JsonObject, maxAge?: string) =>
  sourceOf(url, prometheus, document, maxAge).read(new AbortController().signal);

describe.each(SERVERS)('the state with metrics of %s', (_name, start) => {
  // Debian's package `prometheus` has the program.
  const test = start === undefined ? it.skip : it;
  let server: TestServer;
  beforeAll(async () => {
    if (start !== undefined) server = await start();
  });
  afterAll(() => server?.stop());
  const cpu = (node: string, value: string, more = {}) => ({ name: 'cpu', labels: { node, ...more }, value });
  const CPU = { nodes: { cpu_usage: { query: 'cpu' } } };

  test('gives nodes, shards and the cluster the values of their series, and all else as the base has it', async () => {
    await server.show([
      cpu('n1', '40.5'),
      cpu('n2', '90'),
      cpu('other-cluster', '1'),
      { name: 'queries', labels: { shard: 's1' }, value: '7' },
      { name: 'maintenance', value: '0' },
    ]);
    const queries = {
      ...CPU,
      shards: { qps: { query: 'queries' } },
      cluster: { maintenance: { query: 'maintenance' } },
    };
    const base: JsonObject = {
      observed_at: new Date().toISOString(),
      version: '17',
      nodes: [{ id: 'n1', region: 'eu', cpu_usage: 1 }, { id: 'n2' }],
      shards: [{ id: 's1', replicas: ['n1'] }],
    };
    const { document, source, guardsVersion } = await read(server.base, queries, base);
    expect(document).toMatchObject({
      version: '17',
      nodes: [
        { id: 'n1', region: 'eu', cpu_usage: 40.5 },
        { id: 'n2', cpu_usage: 90 },
      ],
      shards: [{ id: 's1', replicas: ['n1'], qps: 7 }],
      cluster: { maintenance: 0 },
    });
    expect(guardsVersion).toBe(true);
    expect(source).toBe(`the base with metrics of prometheus ${server.base}/`);
  });

  test('takes the label that names the owner, and aggregates in the query', async () => {
    await server.show([cpu('', '1', { host: 'n1', core: '0' }), cpu('', '2', { host: 'n1', core: '1' })]);
    const field = { query: 'sum by (host) (cpu)', label: 'host' };
    const { document } = await read(server.base, { nodes: { cpu_usage: field } }, { nodes: ready('n1') });
    expect(document.nodes).toEqual([{ id: 'n1', cpu_usage: 3 }]);
  });

  test('says every fault of every query at once', async () => {
    await server.show([
      cpu('n1', 'NaN'),
      cpu('n2', '+Inf'),
      cpu('n3', '1', { core: '0' }),
      cpu('n3', '2', { core: '1' }),
      { name: 'queries', labels: { shard: 's9' }, value: '7' },
    ]);
    const queries = {
      ...CPU,
      shards: { qps: { query: 'queries' } },
      cluster: { bad: { query: 'sum(', timestampQuery: 'm' } },
    };
    const asked = read(server.base, queries, { nodes: ready('n1', 'n2', 'n3', 'n4'), shards: ready('s1') });
    const error = (await asked.then(
      () => undefined,
      (failure: unknown) => failure,
    )) as { type: string; faults: { type: string; message: string }[] };
    expect(error.type).toBe('FactInvalid');
    const messages = error.faults.map(({ message }) => message).sort();
    expect(messages).toEqual([
      expect.stringMatching(/^cluster\.bad: .* refused the query \(400\): bad_data/),
      expect.stringMatching(/^node\.cpu_usage of n1, n2: .* answered NaN.*answered \+Inf/),
      expect.stringMatching(/^node\.cpu_usage of n3: .* answered more than one series/),
      expect.stringMatching(/^node\.cpu_usage of n4: .* answered no series$/),
      expect.stringMatching(/^shard\.qps of s1: .* answered no series for it; the label shard is s9$/),
    ]);
  });

  test('names the labels that there are where the label of the settings is on no series', async () => {
    await server.show([{ name: 'cpu', labels: { host: 'n1' }, value: '7' }]);
    await expect(read(server.base, CPU, { nodes: ready('n1') })).rejects.toMatchObject({
      type: 'FactInvalid',
      message: expect.stringMatching(/answered no series with the label node; there are .*host/),
    });
  });

  test('is an error where a sample is older than maxAge, with the node and both ages', async () => {
    await server.show([cpu('n9', '40')], 60 * SECOND);
    await expect(read(server.base, CPU, { nodes: ready('n9') })).rejects.toMatchObject({
      type: 'FactStale',
      message: expect.stringMatching(/^node\.cpu_usage of n9: .* gave a sample that is 1m.* old, and 45s are allowed$/),
      faults: [{ maxAgeMs: 45_000, ageMs: expect.any(Number) }],
    });
    const own = { nodes: { cpu_usage: { query: 'cpu', maxAge: '10m' } } };
    const now = new Date().toISOString();
    const { document } = await read(server.base, own, { observed_at: now, nodes: ready('n9') });
    // What has a maxAge of its own makes the state no older.
    expect(document).toMatchObject({ observed_at: now, nodes: [{ cpu_usage: 40 }] });
  });

  test('was observed when its oldest sample was', async () => {
    await server.show([cpu('n9', '40')], 20 * SECOND);
    const document: JsonObject = { observed_at: new Date().toISOString(), nodes: ready('n9') };
    const { document: found } = await read(server.base, CPU, document);
    const ageMs = Date.now() - Date.parse(found.observed_at as string);
    expect(ageMs).toBeGreaterThanOrEqual(20 * SECOND);
    expect((await read(server.base, CPU, { nodes: ready('n9') })).document.observed_at).toBeUndefined();
  });

  test('expects nothing of a node that is down', async () => {
    await server.show([cpu('n1', '40'), cpu('n3', 'NaN')]);
    const nodes = [...ready('n1'), { id: 'n2', status: 'down', cpu_usage: 5 }, { id: 'n3', status: 'down' }];
    const { document } = await read(server.base, CPU, { nodes });
    expect(document.nodes).toEqual([
      { id: 'n1', cpu_usage: 40 },
      { id: 'n2', status: 'down' },
      { id: 'n3', status: 'down' },
    ]);
    await expect(read(server.base, CPU, { nodes: [...ready('n1'), { id: 'n2', status: 'draining' }] })).rejects.toThrow(
      'node.cpu_usage of n2',
    );
  });

  test('takes what onMissing says for a series that is absent, and for nothing else', async () => {
    await server.show([cpu('n1', 'NaN')]);
    const nodes = (onMissing: unknown) => ({ nodes: { cpu_usage: { query: 'cpu', onMissing } } });
    const base: JsonObject = { nodes: [{ id: 'n2', cpu_usage: 5 }] };
    expect((await read(server.base, nodes('unknown'), base)).document.nodes).toEqual(ready('n2'));
    expect((await read(server.base, nodes({ use: 0 }), base)).document.nodes).toEqual([{ id: 'n2', cpu_usage: 0 }]);
    for (const onMissing of ['unknown', { use: 0 }]) {
      await expect(read(server.base, nodes(onMissing), { nodes: ready('n1') })).rejects.toThrow('answered NaN');
    }
  });
});

describe('the state with metrics', () => {
  let server: PrometheusServer;
  let folder: string;
  beforeEach(async () => {
    server = await startPrometheus();
    folder = mkdtempSync(join(tmpdir(), 'gate-state-'));
  });
  afterEach(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });
  const cpu = (node: string, value = '1', timeMs = Date.now()): Series => ({
    name: 'cpu',
    labels: { node },
    value,
    timeMs,
  });
  const CPU = { nodes: { cpu_usage: { query: 'cpu' } } };

  it('is stale for a node whose exporter died while a rate over it still answers', async () => {
    server.series = [cpu('n1')];
    const vector = ['n1', 'n2'].map((node) => ({ metric: { node }, value: [1, '5'] }));
    server.answers.set('rate(cpu[10m])', { status: 'success', data: { resultType: 'vector', result: vector } });
    const field = { query: 'rate(cpu[10m])' };
    await expect(
      read(server.base, { nodes: { cpu_usage: field } }, { nodes: ready('n1', 'n2') }),
    ).rejects.toMatchObject({
      type: 'FactStale',
      message: expect.stringMatching(/^node\.cpu_usage of n2: .* has no present sample/),
    });
  });

  it('has one version while its metrics alone change, and another one when a replica does', async () => {
    const file = join(folder, 'state.json');
    const write = (replicas: string[], observedAt: string) =>
      writeFileSync(
        file,
        JSON.stringify({ observed_at: observedAt, nodes: ready('n1'), shards: [{ id: 's1', replicas }] }),
      );
    const shards = { state: { prometheus: { url: server.base, ...CPU } } };
    const { state } = parseSettings({ shards } as unknown as JsonObject, { file: 'settings.json' }, '/').shards;
    const source = openStateMetrics(state.prometheus!, {
      maxAgeMs: 45_000,
      secrets: { env: {}, configFolder: folder, identityFile: undefined },
    })(stateOfFile(file));
    const versions: unknown[] = [];
    for (const [value, replicas, second] of [
      ['1', ['n1'], '00'],
      ['2', ['n1'], '01'],
      ['2', [], '02'],
    ] as const) {
      write([...replicas], `2026-11-27T12:00:${second}Z`);
      server.series = [cpu('n1', value)];
      const { document, guardsVersion } = await source.read(new AbortController().signal);
      versions.push(document.version);
      expect(guardsVersion).toBe(false);
    }
    expect(versions[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(versions[1]).toBe(versions[0]);
    expect(versions[2]).not.toBe(versions[0]);
  });

  it('says which query got no answer in time, and every other fault with it', async () => {
    server.series = [cpu('n1', 'NaN')];
    server.hung.add('queries');
    const queries = { ...CPU, timeout: '3s', shards: { qps: { query: 'queries' } } };
    await expect(read(server.base, queries, { nodes: ready('n1'), shards: ready('s1') })).rejects.toMatchObject({
      faults: expect.arrayContaining([
        expect.objectContaining({ type: 'FactInvalid', message: expect.stringContaining('answered NaN') }),
        expect.objectContaining({
          type: 'FactSourceUnavailable',
          message: expect.stringMatching(/^shard\.qps: .* could not be reached: no answer in time$/),
        }),
      ]),
    });
  });

  it('ends with the reason of the one who asked, where that one goes away', async () => {
    server.hung.add('cpu');
    const controller = new AbortController();
    server.before = async () => undefined;
    const asked = sourceOf(server.base, CPU, { nodes: ready('n1') }).read(controller.signal);
    while (server.queries.length === 0) await new Promise(setImmediate);
    controller.abort(new Error('gone'));
    await expect(asked).rejects.toThrow('gone');
  });

  it('asks nothing about a document without nodes, which whoever reads it refuses', async () => {
    expect((await read(server.base, CPU, { shards: [] })).document).toEqual({ shards: [] });
    expect(server.queries).toEqual([]);
  });

  it('gives 20,000 shards their values', async () => {
    const ids = Array.from({ length: 20_000 }, (_, at) => `s${at}`);
    const timeMs = Date.now();
    server.series = ids.map((shard) => ({ name: 'queries', labels: { shard }, value: '2', timeMs }));
    const { document } = await read(
      server.base,
      { shards: { qps: { query: 'queries' } } },
      { nodes: [], shards: ready(...ids) },
    );
    expect((document.shards as JsonObject[]).every(({ qps }) => qps === 2)).toBe(true);
  });
});

describe('the settings shards.state.prometheus', () => {
  const open = (shards: object) => {
    const settings = parseSettings({ shards } as JsonObject, { file: 'settings.json' }, '/');
    return openShards({ settings, baseDir: '/' }, { env: {}, labels: {} });
  };
  const faultsOf = (shards: object): string[] => {
    try {
      void open(shards).close();
      return [];
    } catch (error) {
      return (error as { faults: { where?: string; message: string }[] }).faults.map(({ where }) => where ?? '');
    }
  };

  it('are refused with every fault at once, each with its place', () => {
    const prometheus = {
      url: 'http://user:secret@prometheus/?x=1',
      nodes: { status: { query: 'up' }, cpu_usage: { query: 'cpu or vector(0)' } },
      shards: { replicas: { query: 'r' } },
      cluster: { last_moved_at: { query: 't' } },
    };
    expect(faultsOf({ manager: { url: 'ftp://x' }, state: { prometheus } })).toEqual([
      'shards.manager.url',
      'shards.state.prometheus.url',
      'shards.state.prometheus.nodes.status',
      'shards.state.prometheus.nodes.cpu_usage.timestampQuery',
      'shards.state.prometheus.shards.replicas',
      'shards.state.prometheus.cluster.last_moved_at',
    ]);
  });

  it.each([
    [
      'without a manager or a file, since metrics are no nodes',
      { state: { prometheus: { url: 'http://p', nodes: { a: { query: 'm' } } } } },
    ],
    ['without a query', { state: { file: 's.json', prometheus: { url: 'http://p' } } }],
  ])('are refused %s', (_, shards) => {
    expect(faultsOf(shards)).toEqual(['shards.state.prometheus']);
  });

  it.each([
    ['a label of the cluster', { cluster: { a: { query: 'm', label: 'x' } } }, 'label'],
    ['a name with a dot', { nodes: { 'capacity.shards': { query: 'm' } } }, 'capacity.shards'],
    ['no query', { nodes: { a: { query: '' } } }, 'query'],
    ['another word for what is missing', { nodes: { a: { query: 'm', onMissing: 'ignore' } } }, 'onMissing'],
  ])('are refused with %s', (_, prometheus, said) => {
    const shards = { state: { file: 's.json', prometheus: { url: 'http://p', ...prometheus } } };
    expect(() => open(shards)).toThrow(said);
  });
});
