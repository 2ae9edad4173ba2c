import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { PROVIDER_KINDS } from '../../../../src/gate/facts/providers';
import { promqlAges } from '../../../../src/platform/sources/promql-selectors';
import { registryFromConfig } from '../../../../src/gate/facts/registry';
import { parseReleaseConfig } from '../../../../src/releases/config/parse-release-config';
import { startPrometheus } from '../../../support/prometheus-server';

it('the AnalysisTemplate of the guide, carried over, asks the same query with the attributes of the deployment', async () => {
  const guide = readFileSync(join(__dirname, '..', '..', '..', '..', 'docs', 'facts.md'), 'utf8');
  const blocks = [...guide.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => parse(text!) as Record<string, never>);
  const template = blocks.find(({ kind }) => kind === 'AnalysisTemplate')! as unknown as {
    spec: { metrics: { provider: { prometheus: { query: string } } }[] };
  };
  const release = blocks.find(({ facts }) => facts !== undefined && 'success_rate' in facts)!;
  const prometheus = await startPrometheus();
  try {
    const { facts } = parseReleaseConfig(release, { file: 'docs/facts.md' });
    const registry = await registryFromConfig({
      facts: { success_rate: { ...facts.success_rate!, base: prometheus.base } as never },
      inputSchema: {},
      kinds: PROVIDER_KINDS,
      deps: { env: {}, configFolder: '.', configDocument: {} },
    });
    const wanted = template.spec.metrics[0]!.provider.prometheus.query.replaceAll('{{args.service-name}}', 'reviews');
    prometheus.answers.set(wanted, {
      status: 'success',
      data: { resultType: 'vector', result: [{ metric: {}, value: [1, '0.97'] }] },
    });
    for (const { text } of promqlAges(wanted).selectors) {
      const labels = Object.fromEntries(
        [...text.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, name, value]) => [name, value!]),
      );
      prometheus.answers.set(`min(timestamp(${text}))`, {
        status: 'success',
        data: { resultType: 'vector', result: [{ metric: labels, value: [1, String(Date.now() / 1000)] }] },
      });
    }
    const attributes = { service_name: 'reviews' };
    const target = { deploymentId: 'd', stage: 's', stageIndex: 0, attributes, stageAttributes: {} };
    const { provider } = registry.get('success_rate')!;
    expect(await provider.collect(target, new AbortController().signal)).toMatchObject({ value: 0.97 });
    expect(prometheus.queries).toContain(wanted);
  } finally {
    await prometheus.close();
  }
});

it('a query is parsed once', () => {
  expect(promqlAges('sum(up) / sum(down)')).toBe(promqlAges('sum(up) / sum(down)'));
});
