import { expect, it } from '@jest/globals';
import { factWarnings } from '../../../../src/gate/facts/providers/fact-warnings';
import { maxAgesOf } from '../../../../src/gate/facts/registry';
import type { ProviderConfig } from '../../../../src/releases/config/release-config';

const query = (text: string, more: object = {}) =>
  ({ type: 'prometheus', base: 'http://prometheus:9090', query: text, ...more }) as ProviderConfig;

it('a fact from a recording rule is named with its rule, unless a query of its own tells its age', () => {
  const facts = {
    plain: query('sum(rate(errors_total[5m]))'),
    recorded: query('max(job:errors:rate5m{job="{stage}"}) / sum(up)'),
    timed: query('job:errors:rate5m', { timestampQuery: 'min(timestamp(errors_total))' }),
    other: { type: 'static', value: 1, maxAge: '45s' } as ProviderConfig,
  };
  expect(factWarnings(facts)).toEqual([
    expect.objectContaining({
      factId: 'recorded',
      where: 'facts.recorded.query',
      message: expect.stringMatching(/job:errors:rate5m looks like a recording rule, so its age is that of the rule/),
    }),
  ]);
});

it.each([
  ['http://metrics.example/x', ['headers.x-key', 'bearerToken']],
  ['https://metrics.example/x', []],
  ['http://localhost:8080/x', []],
  ['http://127.0.0.1:8080/x', []],
  ['http://[::1]:8080/x', []],
  ['http://127.0.0.1.example/x', ['headers.x-key', 'bearerToken']],
])('a fact whose secrets go to %s is named with %j', (url, keys) => {
  const secrets = { bearerToken: { env: 'TOKEN' }, headers: { 'x-key': { file: 'key' }, accept: 'text/plain' } };
  const facts = {
    rate: { type: 'http', url, value: '/a', tls: { caFile: 'ca.pem' }, ...secrets } as unknown as ProviderConfig,
    open: { type: 'http', url, value: '/a' } as unknown as ProviderConfig,
  };
  expect(factWarnings(facts).map(({ where }) => where)).toEqual(keys.map((key) => `facts.rate.${key}`));
});

it('a fact has a maximum age unless it is always fresh', () => {
  const facts = {
    asked: query('up', { maxAge: '2m' }),
    written: { type: 'static', value: 1, maxAge: '45s' } as ProviderConfig,
    aged: { type: 'static', value: 1, age: '10s', maxAge: '30s' } as ProviderConfig,
    limit: { type: 'config', path: '/limits/x' } as ProviderConfig,
  };
  expect(maxAgesOf(facts)).toEqual({ asked: 120_000, aged: 30_000 });
});
