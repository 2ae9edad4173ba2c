import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditRecord } from '../../../src/audit/audit-record';
import type { HookEvent } from '../../../src/images/hooks/image-hooks';
import { openImages, type Images } from '../../../src/images/service/open-images';
import { createSyncJournal } from '../../../src/images/sync/audit-journal';
import { runSync } from '../../../src/images/sync/run-sync';
import { loadSettings } from '../../../src/settings/load-settings';
import { startOciRegistry, type OciRegistry } from '../../support/oci-registry/oci-registry';
import { pushImage } from '../../support/oci-registry/push-image';
import { sampleImage } from '../../support/oci-registry/sample-image';

describe('an attempt at a sync whose earlier one copied an image and was killed', () => {
  let folder: string;
  let registries: OciRegistry[];
  let images: Images;
  let records: AuditRecord[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gate-repeated-'));
    registries = await Promise.all([startOciRegistry(), startOciRegistry()]);
    const [hub, mirror] = registries.map(({ host }) => ({ host, plainHttp: true }));
    pushImage(registries[0]!, 'team/app', sampleImage(), 'v1');
    const policy = {
      id: 'all',
      name: 'all',
      source: { registry: 'hub', repositories: ['team/app'] },
      actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: '{repository}' }],
    };
    const file = join(folder, 'settings.json');
    writeFileSync(file, JSON.stringify({ policy: { enabled: true, policies: [policy] }, registries: { hub, mirror } }));
    images = openImages(await loadSettings(file, {}, folder), { env: {} });
    records = [];
  });
  afterEach(async () => {
    await images.close();
    await Promise.all(registries.map((registry) => registry.stop()));
    rmSync(folder, { recursive: true });
  });

  async function attempt({ isRepeated, sync = 's' }: { isRepeated: boolean; sync?: string }) {
    const context = await images.context();
    const events: HookEvent[] = [];
    const journal = createSyncJournal({
      record: async (record) => void records.push(record),
      find: async (id) => records.find(({ decisionID }) => decisionID === id),
      ...{ sync, workflowId: 'w', actor: 'ann', revision: context.revision, isRepeated, nowMs: Date.now },
    });
    const call = async (_policy: unknown, event: HookEvent) => void events.push(event);
    const { totals } = await runSync(context, { journal, hooks: { run: sync, hooks: { call } } });
    return { tagsCopied: totals.tagsCopied, events };
  }
  const acts = () => records.filter(({ kind }) => kind === 'acted').length;

  it('counts the image as copied, and records that once', async () => {
    await attempt({ isRepeated: false });
    expect(await attempt({ isRepeated: true })).toEqual({ tagsCopied: 1, events: ['after'] });
    expect(acts()).toBe(1);
  });

  it('records the copy where the earlier attempt could not', async () => {
    await attempt({ isRepeated: false });
    records = records.filter(({ kind }) => kind !== 'acted');
    expect(await attempt({ isRepeated: true })).toEqual({ tagsCopied: 1, events: ['after'] });
    expect(acts()).toBe(1);
  });

  it('finds nothing to do where another sync copied it', async () => {
    await attempt({ isRepeated: false });
    expect(await attempt({ isRepeated: true, sync: 'other' })).toEqual({ tagsCopied: 0, events: ['unchanged'] });
    expect(acts()).toBe(1);
  });
});
