import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createImageMetrics, IMAGE_LABEL_LIMITS } from '../../../src/images/service/image-metrics';

const files = {
  'alerting rules': readFileSync('configs/prometheus/images.rules.yaml', 'utf8'),
  dashboard: readFileSync('configs/grafana/dashboards/images.json', 'utf8'),
};

function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/freightliner_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')));
}

it.each(Object.entries(files))('the %s name metrics of images alone', (_what, text) => {
  const registry = new Registry();
  createImageMetrics(registry);
  const registered = registry.getMetricsAsArray().map(({ name }) => name);
  expect(namesIn(text).size).toBeGreaterThan(0);
  expect([...namesIn(text)].filter((name) => !registered.includes(name))).toEqual([]);
});

it('the first evaluation of a policy that fails is an increase, and so is the first error of its kind', async () => {
  const registry = new Registry();
  createImageMetrics(registry).inForce(['a']);
  const text = await registry.metrics();
  expect(text).toContain('freightliner_policy_evaluations_total{policy_id="a",result="error"} 0');
  expect(text).toContain('freightliner_policy_errors_total{type="REGISTRY_UNAVAILABLE"} 0');
});

it('a policy that is deleted or disabled leaves no images behind', async () => {
  const registry = new Registry();
  const metrics = createImageMetrics(registry);
  metrics.inForce(['a', 'b']);
  for (const id of ['a', 'b']) metrics.behind(id, 1);
  metrics.inForce(['b']);
  const { values } = await registry.getSingleMetric('freightliner_images_behind')!.get();
  expect(values.map(({ labels }) => labels.policy_id)).toEqual(['b']);
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
