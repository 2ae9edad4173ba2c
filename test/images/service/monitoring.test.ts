import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createImageMetrics, IMAGE_LABEL_LIMITS } from '../../../src/images/service/image-metrics';

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

it('metrics tell at most 1,000 policies apart; further ones count together', async () => {
  const registry = new Registry();
  const metrics = createImageMetrics(registry);
  for (let index = 0; index < 1_500; index += 1) metrics.behind(`policy-${index}`, 1);
  const { values } = await registry.getSingleMetric('freightliner_images_behind')!.get();
  const labels = values.map(({ labels: { policy_id } }) => policy_id);
  expect(labels).toHaveLength(IMAGE_LABEL_LIMITS.policy + 1);
  expect(labels).toContain('other');
});
