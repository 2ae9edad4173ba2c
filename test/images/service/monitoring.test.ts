import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createImageMetrics } from '../../../src/images/service/image-metrics';

const texts = ['images.dashboard.json', 'images.rules.yaml'].map((name) =>
  readFileSync(`etc/monitoring/${name}`, 'utf8'),
);

function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/freightliner_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
}

it('the dashboard shows every metric of images, and the alerting rules name no other', () => {
  const registry = new Registry();
  createImageMetrics(registry);
  const registered = registry.getMetricsAsArray().map(({ name }) => name);
  expect([...namesIn(texts[0]!)].sort()).toEqual([...registered].sort());
  expect([...namesIn(texts[1]!)].filter((name) => !registered.includes(name))).toEqual([]);
});
