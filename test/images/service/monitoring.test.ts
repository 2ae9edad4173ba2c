import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createImageMetrics } from '../../../src/images/service/image-metrics';

const rules = readFileSync('configs/prometheus/images.rules.yaml', 'utf8');

function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/freightliner_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
}

it('the alerting rules name metrics of images alone', () => {
  const registry = new Registry();
  createImageMetrics(registry);
  const registered = registry.getMetricsAsArray().map(({ name }) => name);
  expect(namesIn(rules).size).toBeGreaterThan(0);
  expect([...namesIn(rules)].filter((name) => !registered.includes(name))).toEqual([]);
});
