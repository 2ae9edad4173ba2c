import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ImageConditionType } from '../../../src/images/conditions/condition-type';
import { openImages, type Images } from '../../../src/images/service/open-images';
import { runSync } from '../../../src/images/sync/run-sync';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

const TAGS = 8;

describe('a limit of the settings', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  let images: Images | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-limits-'));
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
    for (let tag = 0; tag < TAGS; tag += 1)
      pushImage(source, 'team/app', sampleImage({ labels: { team: 'red' } }), `v${tag}`);
  });
  afterEach(async () => {
    await images?.close();
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true });
  });

  async function open(policy: object, conditions: readonly object[], probe?: ImageConditionType): Promise<Images> {
    // The name of the target tells too little: images are decided about in the survey, too.
    const replicate = { type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{label:team}' };
    const from = { registry: 'hub', repositories: ['team/app'] };
    const policies = [{ id: 'all', name: 'All', source: from, conditions, actions: [replicate] }];
    const registries = { hub: { host: source.host, plainHttp: true }, mirror: { host: target.host, plainHttp: true } };
    const settings = join(folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ policy: { enabled: true, policies, ...policy }, registries }));
    const conditionTypes = probe === undefined ? undefined : new Map([['probe', probe]]);
    images = openImages(await loadSettings(settings, {}, '/'), { env: {}, conditionTypes });
    return images;
  }
  const synced = async (opened: Images) =>
    (await runSync(await opened.context(), { concurrency: opened.concurrency })).totals;

  it.each([1, 3])('maxConcurrency: %i images are decided about at once, and no more', async (maxConcurrency) => {
    let [now, most] = [0, 0];
    let full: () => void;
    const isFull = new Promise<void>((resolve) => (full = resolve));
    const opened = await open({ maxConcurrency }, [{ type: 'probe', operator: 'exists' }], {
      async values() {
        now += 1;
        most = Math.max(most, now);
        if (now === maxConcurrency) full();
        await isFull;
        await new Promise(setImmediate);
        now -= 1;
        return ['yes'];
      },
    });
    expect(await synced(opened)).toMatchObject({ tagsCopied: TAGS, errors: 0 });
    expect(most).toBe(maxConcurrency);
  });

  it.each([
    { cacheSize: 2, readAgain: TAGS },
    { cacheSize: TAGS, readAgain: 0 },
  ])('cacheSize: metadata of $cacheSize digests is kept', async ({ cacheSize, readAgain }) => {
    const label = { type: 'label', key: 'team', operator: 'exists' };
    const opened = await open({ cacheSize, maxConcurrency: 1 }, [label]);
    await synced(opened);
    source.asked.length = 0;
    expect(await synced(opened)).toMatchObject({ tagsSkipped: TAGS });
    const read = new Set(source.asked.filter((one) => /^GET .*\/manifests\//.test(one)));
    expect(read.size).toBe(readAgain);
  });

  it('evaluationTimeout: a condition type without an answer leaves its policy unknown, and the image is not copied', async () => {
    const opened = await open({ evaluationTimeout: '20ms' }, [{ type: 'probe', operator: 'exists' }], {
      values: () => new Promise(() => undefined),
    });
    const { totals, images: all } = await runSync(await opened.context(), { concurrency: opened.concurrency });
    expect(totals).toMatchObject({ tagsCopied: 0, errors: TAGS });
    expect(all[0]).toMatchObject({ status: 'failed', reason: expect.stringContaining('it took longer than 20 ms') });
    expect(target.content.repositories.size).toBe(0);
  });
});
