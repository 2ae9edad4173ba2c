import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scrapeFindings } from '../../../src/clients/doctor/scrape-findings';
import { loadSettings } from '../../../src/settings/load-settings';

const TARGETS = [
  { labels: { job: 'api' }, scrapeInterval: '15s' },
  { labels: { job: 'nightly' }, scrapeInterval: '1h30m' },
];

describe('the doctor, of facts and the intervals at which they are scraped', () => {
  let folder: string;
  let server: Server;
  let base: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-doctor-'));
    server = createServer(({ url }, response) => {
      response.statusCode = url === '/api/v1/targets?state=active' ? 200 : 404;
      response.end(JSON.stringify({ status: 'success', data: { activeTargets: TARGETS } }));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function findings(fact: object) {
    const policy = resolve(__dirname, '..', '..', '..', 'policy');
    const facts = { errors: { type: 'prometheus', base, ...fact } };
    writeFileSync(join(folder, 'release.json'), JSON.stringify({ facts, stages: { recheckEvery: '30s' } }));
    writeFileSync(join(folder, 'latest.json'), JSON.stringify({ policy, config: 'release.json', version: 'v1' }));
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ release: { manifest: 'latest.json' } }));
    return scrapeFindings(await loadSettings(join(folder, 'settings.json'), {}, folder), {});
  }

  it.each([
    ['sum(rate(errors{job="api"}[5m]))', '45s', []],
    [
      'sum(rate(errors{job="api"}[5m]))',
      '44s',
      [/errors has a maxAge of 44s, below the scrape interval 15s and recheckEvery 30s/],
    ],
    ['sum(errors)', '1h', [/below the scrape interval 5400s/]],
    ['sum(errors{job="another"})', '1s', []],
  ])('a fact of %s with a maxAge of %s', async (query, maxAge, expected) => {
    const found = await findings({ query, maxAge });
    expect(found).toEqual(
      expected.map((text) =>
        expect.objectContaining({ state: 'note', what: 'facts', found: expect.stringMatching(text) }),
      ),
    );
  });

  it('the doctor says that a server tells no scrape interval', async () => {
    const found = await findings({ query: 'up', base: `${base}/thanos` });
    expect(found).toMatchObject([{ state: 'note', found: expect.stringMatching(/behind errors is unknown: .*404/) }]);
  });
});
