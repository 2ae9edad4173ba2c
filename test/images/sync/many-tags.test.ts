import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openImages, type Images } from '../../../src/images/service/open-images';
import type { SyncCursor } from '../../../src/images/progress/sync-progress';
import { survey } from '../../../src/images/sync/survey';
import { syncBatch } from '../../../src/images/sync/sync-batch';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

const TAGS = 1_100;
/** Those that the target lacks at first. */
const NEW = 20;
const BATCH = 400;

describe('a repository with many tags', () => {
  let folder: string;
  let source: OciRegistry;
  let target: OciRegistry;
  let images: Images;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-many-tags-'));
    [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
    const versions = [sampleImage(), sampleImage(), sampleImage()];
    for (let tag = 0; tag < TAGS; tag += 1) {
      pushImage(source, 'team/app', versions[tag % 3]!, `v${tag}`);
      if (tag >= NEW) pushImage(target, 'mirror/team/app', versions[tag % 3]!, `v${tag}`);
    }
    const replicate = { type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository}' };
    const from = { registry: 'hub', repositories: ['team/app'], tags: { allow: ['^v'] } };
    writeFileSync(
      join(folder, 'a.json'),
      JSON.stringify([{ id: 'all', name: 'All', source: from, actions: [replicate] }]),
    );
    const registries = { hub: { host: source.host, plainHttp: true }, mirror: { host: target.host, plainHttp: true } };
    const settings = join(folder, 'settings.json');
    writeFileSync(settings, JSON.stringify({ policy: { enabled: true, configPath: 'a.json' }, registries }));
    images = openImages(await loadSettings(settings, {}, '/'), { env: {} });
  });
  afterEach(async () => {
    await images.close();
    await Promise.all([source.stop(), target.stop()]);
    rmSync(folder, { recursive: true });
  });

  /** @returns how many images each batch did, and how they ended */
  async function synced(afterListingMs = 0): Promise<{ batches: number[]; ends: Record<string, number> }> {
    const listing = await images.context();
    const found = await survey(listing);
    const context = { ...listing, nowMs: () => listing.nowMs() + afterListingMs };
    const batches: number[] = [];
    const ends: Record<string, number> = {};
    let after: SyncCursor | undefined;
    do {
      let count = 0;
      after = await syncBatch(context, found, {
        ...(after === undefined ? {} : { after }),
        atMost: BATCH,
        onError: ({ cause }) => expect(cause).toBe('nothing'),
        onImage: ({ status }) => {
          count += 1;
          ends[status] = (ends[status] ?? 0) + 1;
        },
      });
      batches.push(count);
    } while (after !== undefined);
    return { batches, ends };
  }

  const tagsOfReferrers = (): string[] => source.asked.filter((one) => one.includes('/manifests/sha256-'));

  it('costs no request for tags of signatures that its list does not have', async () => {
    await synced();
    expect(tagsOfReferrers()).toEqual([]);
  });

  it('is asked for tags of signatures once its list is older than a minute', async () => {
    await synced(61_000);
    const suffixes = new Set(tagsOfReferrers().map((one) => one.split('.').at(-1)));
    expect([...suffixes].sort()).toEqual(['att', 'sbom', 'sig']);
  });

  it('is replicated batch by batch, and an unchanged tag costs one HEAD on each side beside the pages of the list', async () => {
    expect(await synced()).toEqual({ batches: [400, 400, 300], ends: { copied: NEW, skipped: TAGS - NEW } });
    expect(new Map([...target.content.open('mirror/team/app').tags].sort())).toEqual(
      new Map([...source.content.open('team/app').tags].sort()),
    );
    source.asked.length = 0;
    target.asked.length = 0;
    expect(await synced()).toEqual({ batches: [400, 400, 300], ends: { skipped: TAGS } });
    const headsOf = ({ asked }: OciRegistry) => asked.filter((one) => one.startsWith('HEAD '));
    for (const [registry, repository] of [
      [source, 'team/app'],
      [target, 'mirror/team/app'],
    ] as const) {
      const wanted = Array.from({ length: TAGS }, (_none, tag) => `HEAD /v2/${repository}/manifests/v${tag}`);
      expect(headsOf(registry).sort()).toEqual(wanted.sort());
    }
    expect(target.asked).toHaveLength(TAGS);
    const pages = source.asked.filter((one) => !one.startsWith('HEAD '));
    expect(pages.map((one) => one.split('?')[0])).toEqual(Array(2).fill('GET /v2/team/app/tags/list'));
  });
});
