import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { createImageActivities } from '../src/activities/create-image-activities';
import { FailureType, GateError } from '../src/kernel/failures';
import { IMAGE_SYNC_WORKFLOW } from '../src/kernel/names';
import type { ImageSyncInput } from '../src/workflows/image-sync';
import { writeRuns, type RunsFolder } from '../test/support/history-file';
import { imageParts, type ImageSyncWorkerOptions } from '../test/support/image-sync-worker';
import { startOciRegistry, type OciRegistry } from '../test/support/oci-registry/oci-registry';
import { pushImage } from '../test/support/oci-registry/push-image';
import { sampleImage } from '../test/support/oci-registry/sample-image';
import { eventually, type TemporalEnv } from '../test/support/temporal-env';

interface Scenario {
  images: number;
  policies?: object[];
  options?: Partial<ImageSyncWorkerOptions>;
  input?: Partial<ImageSyncInput>;
  prepare?(source: OciRegistry, target: OciRegistry): void;
  play?(handle: WorkflowHandle, source: OciRegistry): Promise<unknown>;
}

const isBlob = (asked: string): boolean => asked.startsWith('GET ') && asked.includes('/blobs/');

const scenarios: Record<string, Scenario> = {
  done: { images: 3 },
  'through-continue-as-new': { images: 12, options: { defaults: { batchImages: 2, historyLimit: 25 } } },
  'record-store-down': {
    images: 1,
    options: {
      onRecord: (() => {
        let refusals = 2;
        return () => {
          if (refusals === 0) return;
          refusals -= 1;
          throw new GateError(FailureType.AuditWriteFailed, 'the store is down');
        };
      })(),
    },
  },
  pruned: {
    images: 2,
    policies: [
      {
        id: 'all',
        name: 'All',
        source: { registry: 'hub', repositories: ['team/app'] },
        actions: [{ type: 'replicate', target_registry: 'mirror', prune: 'mirror' }],
      },
    ],
    prepare: (_source, target) => pushImage(target, 'team/app', sampleImage(), 'v1'),
  },
  failed: { images: 1, input: { policies: ['none'] } },
  cancelled: {
    images: 1,
    prepare: (source) =>
      source.setFaults(({ method, path }) => (isBlob(`${method} ${path}`) ? { hang: true } : undefined)),
    play: async (handle, source) => {
      await eventually('a blob is asked for', () => source.asked.some(isBlob));
      await handle.cancel();
    },
  },
};

/** Records one history for every way that a sync of images can go, between two stand-ins for registries. */
export async function recordSyncs(env: TemporalEnv, into: RunsFolder): Promise<void> {
  for (const [way, scenario] of Object.entries(scenarios)) {
    const name = `image-sync-${way}`;
    const folder = mkdtempSync(join(tmpdir(), 'gate-record-sync-'));
    const [source, target] = await Promise.all([startOciRegistry(), startOciRegistry()]);
    try {
      const settings = join(folder, 'settings.json');
      const registries = {
        hub: { host: source.host, plainHttp: true },
        mirror: { host: target.host, plainHttp: true },
      };
      const policy = {
        id: 'all',
        name: 'All',
        source: { registry: 'hub', repositories: ['team/app'] },
        actions: [{ type: 'replicate', target_registry: 'mirror' }],
      };
      writeFileSync(join(folder, 'all.json'), JSON.stringify(scenario.policies ?? policy));
      writeFileSync(settings, JSON.stringify({ policy: { enabled: true, configPath: 'all.json' }, registries }));
      for (let index = 0; index < scenario.images; index += 1)
        pushImage(source, 'team/app', sampleImage(), `v${10 + index}`);
      scenario.prepare?.(source, target);
      const parts = await imageParts({ settings, ...scenario.options });
      await env.withWorker(name, createImageActivities(parts), async () => {
        const handle = await env.client.workflow.start(IMAGE_SYNC_WORKFLOW, {
          workflowId: `images/sync/${name}`,
          taskQueue: name,
          args: [{ actor: 'ann', ...scenario.input }],
        });
        await scenario.play?.(handle, source);
        await writeRuns(env.client, handle, { ...into, name });
      });
      await parts.images.close();
    } finally {
      await Promise.all([source.stop(), target.stop()]);
      rmSync(folder, { recursive: true });
    }
    process.stdout.write(`recorded ${name}\n`);
  }
}
