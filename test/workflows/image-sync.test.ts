import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ScheduleNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createImageActivities } from '../../src/activities/create-image-activities';
import type { Alert } from '../../src/alerts/alert';
import type { AuditRecord, DomainRecord } from '../../src/audit/audit-record';
import { bundleOptions } from '../../src/built-workflows';
import { ImageSyncClient } from '../../src/clients/image-sync-client';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import type { SyncStatus } from '../../src/images/progress/sync-progress';
import { wantedSyncs } from '../../src/images/schedules/wanted-syncs';
import { FailureType, GateError } from '../../src/kernel/failures';
import { encryptSecret, writeIdentity } from '../../src/platform/files/encrypt-text';
import { IMAGE_SYNC_WORKFLOW, imageSchedulePrefixOf, imageSyncWorkflowIdOf } from '../../src/kernel/names';
import { reconcileWanted } from '../../src/rules/schedules/reconcile-schedules';
import { createTemporalSchedules } from '../../src/rules/service/temporal-schedules';
import type { ImageSyncInput } from '../../src/workflows/image-sync';
import { startCraneRegistry } from '../support/crane-registry';
import { imageParts, recordsOf, type ImageSyncWorkerOptions } from '../support/image-sync-worker';
import { startOciRegistry, type OciRegistry, type OciRegistryOptions } from '../support/oci-registry/oci-registry';
import { pushImage } from '../support/oci-registry/push-image';
import { sampleImage, type SampleImage } from '../support/oci-registry/sample-image';
import { startRegistryProxy, type RegistryProxy } from '../support/registry-proxy';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';

describe('the sync of images', () => {
  let env: TemporalEnv;
  let folder: string;
  let queue: string;
  let source: OciRegistry;
  let target: OciRegistry;
  let records: AuditRecord[];

  beforeAll(async () => {
    env = await startTemporalEnv();
  });
  afterAll(() => env?.stop());
  beforeEach(async () => {
    queue = `images-${randomUUID()}`;
    folder = mkdtempSync(join(tmpdir(), 'gate-image-sync-'));
    mkdirSync(join(folder, 'policies'));
    await open();
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([source.stop(), target.stop()]);
  });

  async function open(options: OciRegistryOptions = {}): Promise<void> {
    [source, target] = await Promise.all([startOciRegistry(options), startOciRegistry(options)]);
  }
  function push(repository: string, tag: string, labels: Record<string, string> = {}): SampleImage {
    const image = sampleImage({ labels });
    pushImage(source, repository, image, tag);
    return image;
  }
  const replicates = (more: object = {}, action: object = {}) => ({
    id: 'all',
    name: 'All',
    source: { registry: 'hub', repositories: ['team/*'] },
    actions: [{ type: 'replicate', target_registry: 'mirror', target_repo: 'mirror/{repository}', ...action }],
    ...more,
  });
  const OF_APP = { source: { registry: 'hub', repositories: ['team/app'] } };
  const BLOCKS = {
    id: 'scans',
    name: 'Scans',
    conditions: [{ type: 'label', operator: 'not_exists', value: 'scan' }],
    actions: [{ type: 'block', parameters: { reason: 'Missing security scan' } }],
  };
  const policies = (...written: object[]) => writeFileSync(join(folder, 'policies', 'a.json'), JSON.stringify(written));
  function settings(hub = source.host, mirror = target.host): string {
    const registries = { hub: { host: hub, plainHttp: true }, mirror: { host: mirror, plainHttp: true } };
    const file = join(folder, 'settings.json');
    writeFileSync(file, JSON.stringify({ policy: { enabled: true, configPath: 'policies' }, registries }));
    return file;
  }
  const start = (input: Partial<ImageSyncInput> = {}): Promise<WorkflowHandle> =>
    env.client.workflow.start(IMAGE_SYNC_WORKFLOW, {
      workflowId: imageSyncWorkflowIdOf(queue),
      taskQueue: queue,
      workflowTaskTimeout: '3s',
      args: [{ actor: 'ann', ...input }],
    });
  async function withWorker<T>(use: () => Promise<T>, more: Partial<ImageSyncWorkerOptions> = {}): Promise<T> {
    const parts = await imageParts({ settings: settings(), ...more });
    records = parts.records;
    try {
      return await env.withWorker(queue, createImageActivities(parts), use);
    } finally {
      await parts.images.close();
    }
  }
  const synced = (input: Partial<ImageSyncInput> = {}): Promise<SyncStatus> =>
    start(input).then((handle) => handle.result() as Promise<SyncStatus>);
  const tagsOf = (repository: string) => Object.fromEntries(target.content.open(repository).tags);
  const told = (kind: string) => records.filter((record) => record.kind === kind) as DomainRecord[];

  it('a sync records each decision before it acts on it, and each copy once it is verified', async () => {
    const scanned = push('team/app', 'v1', { scan: 'passed' });
    push('team/web', 'v1');
    policies(replicates(), BLOCKS);
    const seen: [string, string | undefined, boolean][] = [];
    const onRecord = ({ kind, outcome }: AuditRecord): void => {
      const isSent = target.asked.some((one) => /^(POST|PUT|PATCH) /.test(one));
      const isTagged = tagsOf('mirror/team/app').v1 !== undefined;
      seen.push([kind, outcome, kind === 'acted' ? isTagged : isSent]);
    };
    const status = await withWorker(synced, { onRecord });
    expect(status).toMatchObject({ state: 'done', actor: 'ann', total: 2 });
    expect(status.totals).toMatchObject({ images: 2, tagsCopied: 1, tagsBlocked: 1, tagsSkipped: 0, errors: 0 });
    expect(tagsOf('mirror/team/app')).toEqual({ v1: scanned.manifest.digest });
    expect(seen).toContainEqual(['decision', 'allow', false]);
    expect(seen).toContainEqual(['acted', undefined, true]);
    expect(
      told('decision')
        .map(({ subject, part, outcome, reason }) => [subject, part, outcome, reason])
        .sort(),
    ).toEqual([
      [`${source.host}/team/app`, 'v1', 'allow', 'replicated by all'],
      [`${source.host}/team/web`, 'v1', 'deny', 'Missing security scan'],
    ]);
    expect(told('acted')).toMatchObject([
      {
        actor: 'ann',
        details: { sync: status.sync, outcome: 'copied', digest: scanned.manifest.digest, policy: 'all' },
      },
    ]);
    expect(told('ended')).toMatchObject([{ details: { end: 'done', tagsCopied: 1, tagsBlocked: 1 } }]);
  });

  it('a sync prunes once all images are done, and says what it deleted', async () => {
    push('team/app', 'v2');
    pushImage(target, 'mirror/team/app', sampleImage(), 'v1');
    policies(replicates(OF_APP, { prune: 'mirror' }));
    let failures = 1;
    const onRecord = ({ details }: AuditRecord): void => {
      // The store refuses once what is told after the deletion: the second attempt finds the tag gone.
      if (details?.outcome === 'deleted' && failures-- > 0)
        throw new GateError(FailureType.AuditWriteFailed, 'the store is down');
    };
    const status = await withWorker(synced, { onRecord });
    expect(status).toMatchObject({ state: 'done', totals: { tagsCopied: 1, errors: 0 } });
    expect(status.pruned).toMatchObject({
      tags: [{ target: `${target.host}/mirror/team/app:v1`, policyId: 'all', outcome: 'deleted' }],
      left: [],
    });
    expect(Object.keys(tagsOf('mirror/team/app'))).toEqual(['v2']);
    const pruning = records.filter(({ details }) => ['prune', 'deleted'].includes(String(details?.outcome)));
    expect(pruning.map(({ kind, actor }) => [kind, actor])).toEqual([
      ['decision', 'ann'],
      ['acted', 'ann'],
    ]);
  });

  it('a second sync that finds nothing to do copies nothing, and repeats no record of a block', async () => {
    push('team/app', 'v1', { scan: 'passed' });
    push('team/web', 'v1');
    policies(replicates(), BLOCKS);
    const counts = await withWorker(async () => {
      await synced();
      const before = records.length;
      expect((await synced()).totals).toMatchObject({ tagsCopied: 0, tagsSkipped: 1, tagsBlocked: 1, bytes: 0 });
      return records.length - before;
    });
    expect(counts).toBe(1);
  });

  it('notify tells people of a copy, and once of a block', async () => {
    push('team/app', 'v1', { scan: 'passed' });
    push('team/web', 'v1');
    policies(replicates(), BLOCKS, { id: 'tell', name: 'Tell', actions: [{ type: 'notify' }] });
    const alerts: Alert[] = [];
    await withWorker(
      async () => {
        await synced();
        await synced();
      },
      { onAlert: (alert) => void alerts.push(alert) },
    );
    const [app, web] = [`${source.host}/team/app:v1`, `${source.host}/team/web:v1`];
    expect(
      alerts.map(({ name, severity, labels, summary }) => [name, severity, labels?.image, summary]).sort(),
    ).toEqual([
      ['ImageBlocked', 'warning', web, `${web}: replication blocked by policy: Missing security scan`],
      ['ImageCopied', 'info', app, `${app} was copied to ${target.host}/mirror/team/app:v1`],
    ]);
    expect(alerts[0]?.labels).toMatchObject({ team: 'images' });
  });

  it('nothing is copied while a record cannot be written, and the sync goes on once it can', async () => {
    push('team/app', 'v1');
    policies(replicates(OF_APP));
    let refusals = 2;
    const onRecord = ({ kind }: AuditRecord): void => {
      if (kind !== 'decision' || refusals === 0) return;
      refusals -= 1;
      expect(target.content.open('mirror/team/app').blobs.size).toBe(0);
      throw new GateError(FailureType.AuditWriteFailed, 'the store is down');
    };
    const status = await withWorker(synced, { onRecord });
    expect(status).toMatchObject({ state: 'done', totals: { tagsCopied: 1, errors: 0 } });
    expect(refusals).toBe(0);
  });

  it('a tag that moves during its copy is decided again, and both images are in the audit log', async () => {
    const first = push('team/app', 'v1');
    policies(replicates());
    let second: SampleImage | undefined;
    target.setFaults(({ method, path }) => {
      if (second === undefined && method === 'PUT' && path.includes('/manifests/')) second = push('team/app', 'v1');
      return undefined;
    });
    await withWorker(synced);
    expect(told('decision').map(({ details }) => details?.digest)).toEqual([
      first.manifest.digest,
      second!.manifest.digest,
    ]);
    expect(told('acted').map(({ details }) => details?.outcome)).toEqual(['withheld', 'copied']);
    expect(tagsOf('mirror/team/app')).toEqual({ v1: second!.manifest.digest });
  });

  it('continues as new, with bounded histories, and the result counts all runs', async () => {
    const image = sampleImage();
    for (let index = 0; index < 40; index += 1) pushImage(source, 'team/app', image, `v${1000 + index}`);
    policies(replicates());
    const { handle, status } = await withWorker(
      async () => {
        const begun = await start();
        return { handle: begun, status: (await begun.result()) as SyncStatus };
      },
      { defaults: { batchImages: 4, historyLimit: 25 } },
    );
    expect(status).toMatchObject({ state: 'done', total: 40, totals: { images: 40, tagsCopied: 40 } });
    expect(Object.keys(tagsOf('mirror/team/app'))).toHaveLength(40);
    const { historyLength, runId } = await handle.describe();
    expect(historyLength).toBeLessThan(45);
    expect(runId).not.toBe(status.sync);
    expect(new Set(told('acted').map(({ details }) => details?.sync))).toEqual(new Set([status.sync]));
    // Lists are read once by a worker, not once a batch.
    expect(source.asked.filter((one) => one.startsWith('GET /v2/team/app/tags/list'))).toHaveLength(1);
  });

  it('fails as a whole where policies have faults, or an id is unknown, and says why', async () => {
    policies(replicates({ surprise: 1 }));
    const faulty = await withWorker(synced);
    expect(faulty).toMatchObject({ state: 'failed', fault: { type: 'ConfigInvalid' } });
    expect(faulty.fault?.message).toContain('surprise');
    policies(replicates());
    const unknown = await withWorker(() => synced({ policies: ['none'] }));
    expect(unknown.fault?.message).toContain('POLICY_NOT_FOUND');
    expect(told('ended')).toMatchObject([{ details: { end: 'failed' } }]);
  });

  it('takes a change of the policies between two batches, and keeps the last good ones', async () => {
    for (const tag of ['v1', 'v2', 'v3']) push('team/app', tag);
    policies(replicates());
    const onRecord = (record: AuditRecord): void => {
      if (record.kind !== 'acted') return;
      if ((record as DomainRecord).part === 'v1') policies(replicates({}, { target_repo: 'other/{repository}' }));
      if ((record as DomainRecord).part === 'v2') policies(replicates({ surprise: 1 }));
    };
    const status = await withWorker(synced, { onRecord, defaults: { batchImages: 1 } });
    expect(status).toMatchObject({ state: 'done', totals: { tagsCopied: 3 } });
    expect([Object.keys(tagsOf('mirror/team/app')), Object.keys(tagsOf('other/team/app'))]).toEqual([
      ['v1'],
      ['v2', 'v3'],
    ]);
  });

  it('a cancellation in Temporal ends the copies under way, and is recorded', async () => {
    push('team/app', 'v1');
    policies(replicates());
    source.setFaults(({ path, method }) => (method === 'GET' && path.includes('/blobs/') ? { hang: true } : undefined));
    await withWorker(async () => {
      const handle = await start();
      await eventually('a blob is asked for', () => source.asked.some((one) => one.includes('/blobs/')));
      source.setFaults(({ method }) => (method === 'GET' ? { status: 500 } : undefined));
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow();
      expect((await handle.describe()).status.name).toBe('CANCELLED');
    });
    expect(told('ended')).toMatchObject([{ details: { end: 'cancelled', tagsCopied: 0 } }]);
  });

  it('no credential is in the history', async () => {
    await Promise.all([source.stop(), target.stop()]);
    await open({ access: { type: 'basic', username: 'robot', password: 'correct-horse' } });
    push('team/app', 'v1');
    policies(replicates());
    const auth = Buffer.from('robot:correct-horse').toString('base64');
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { [source.host]: { auth }, [target.host]: { auth } } }),
    );
    const history = await withWorker(
      async () => {
        const handle = await start();
        expect(await handle.result()).toMatchObject({ totals: { tagsCopied: 1 } });
        return handle.fetchHistory();
      },
      { env: { DOCKER_CONFIG: folder } },
    );
    const texts = JSON.stringify(history).replaceAll(/"data":"([^"]*)"/g, (_whole, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(texts).toContain('mirror/team/app');
    for (const secret of ['correct-horse', auth]) expect(texts).not.toContain(secret);
    expect(JSON.stringify(records)).not.toContain('correct-horse');
  });

  it('an encrypted value is told to its hook, and to no history, record, log or alert', async () => {
    push('team/app', 'v1');
    push('team/web', 'v1');
    const identityFile = join(folder, 'identity.txt');
    const recipient = await writeIdentity(identityFile);
    const [ofPolicy, ofSettings] = ['in-the-policy-battery', 'in-the-settings-staple'];
    const encrypt = (text: string) => encryptSecret(Buffer.from(text), [recipient]);
    const told: (string | undefined)[] = [];
    const server = createServer(({ headers }, response) => {
      told.push(headers.authorization, headers['x-more'] as string);
      // The hook of the first image is taken, that of the second refused.
      response.writeHead(told.length > 2 ? 400 : 204, { connection: 'close' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const headers = { Authorization: await encrypt(ofPolicy), 'X-More': 'secret:MORE' };
    policies(replicates({ hooks: { before: [{ url, headers }] } }), {
      id: 'tell',
      name: 'Tell',
      actions: [{ type: 'notify' }],
    });
    const file = settings();
    const written = JSON.parse(readFileSync(file, 'utf8')) as { policy: object };
    const policy = { ...written.policy, secrets: { MORE: { encrypted: await encrypt(ofSettings) } } };
    const withSecrets = join(folder, 'with-secrets.json');
    writeFileSync(withSecrets, JSON.stringify({ ...written, policy, secrets: { identityFile } }));
    const seen: unknown[] = [];
    const history = await withWorker(
      async () => {
        const handle = await start();
        expect(await handle.result()).toMatchObject({ totals: { tagsCopied: 1, errors: 1 } });
        return handle.fetchHistory();
      },
      {
        settings: withSecrets,
        onAlert: (alert) => seen.push(alert),
        onLog: (...logged) => seen.push(logged),
      },
    ).finally(() => new Promise((resolve) => server.close(resolve)));
    expect(told).toEqual([ofPolicy, ofSettings, ofPolicy, ofSettings]);
    const texts = JSON.stringify(history).replaceAll(/"data":"([^"]*)"/g, (_whole, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    const all = [texts, JSON.stringify(records), inspect(seen, { depth: null })];
    expect(all).toEqual(all.map(() => expect.stringContaining('answered 400')));
    for (const text of all) for (const secret of [ofPolicy, ofSettings]) expect(text).not.toContain(secret);
  });

  describe('between registries of another make, with a worker that is killed', () => {
    const stops: (() => Promise<unknown>)[] = [];
    let codePath: string;
    let bundles: string;
    let child: NodeChild | undefined;
    let proxy: RegistryProxy;
    let hub: string;

    beforeAll(async () => {
      bundles = mkdtempSync(join(tmpdir(), 'gate-image-bundle-'));
      codePath = join(bundles, 'workflows.js');
      const { code } = await bundleWorkflowCode({ ...bundleOptions(false), logger: new DefaultLogger('ERROR') });
      writeFileSync(codePath, code);
    });
    beforeEach(async () => {
      const [from, to] = await Promise.all(
        ['from', 'to'].map((name) => startCraneRegistry(join(bundles, `${name}.log`))),
      );
      hub = from!.host;
      proxy = await startRegistryProxy(to!.host);
      stops.push(() => proxy.close(), from!.stop, to!.stop);
    });
    afterEach(async () => {
      await child?.kill();
      for (const stop of stops.splice(0)) await stop();
    });
    afterAll(() => rmSync(bundles, { recursive: true, force: true }));

    const recordsFile = () => join(folder, 'records.jsonl');
    const startChild = async (): Promise<void> => {
      const support = join(__dirname, '..', 'support');
      const options = {
        ...{ address: env.server.address, taskQueue: queue, codePath, recordsFile: recordsFile() },
        settings: settings(hub, proxy.host),
      };
      child = await startNodeChild('-r', {
        args: [join(support, 'ts-require.cjs'), join(support, 'image-sync-worker.ts'), JSON.stringify(options)],
        logFile: join(folder, 'worker.log'),
      });
    };
    /** By the protocol, as the source is no stand-in. */
    async function seed(image: SampleImage, repository: string, tag: string): Promise<void> {
      const put = async (path: string, bytes: Buffer, type: string): Promise<void> => {
        const answer = await fetch(`http://${hub}${path}`, {
          method: 'PUT',
          headers: { 'content-type': type },
          body: new Uint8Array(bytes),
        });
        expect(answer.status).toBe(201);
      };
      for (const blob of [image.config, ...image.layers]) {
        const begun = await fetch(`http://${hub}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
        await put(`${begun.headers.get('location')}?digest=${blob.digest}`, blob.bytes, 'application/octet-stream');
      }
      await put(`/v2/${repository}/manifests/${tag}`, image.manifest.bytes, image.manifest.mediaType);
    }

    it('the next worker sends no blob that was sent, and records the whole copy once', async () => {
      const image = sampleImage({ layerSizes: [300_000, 200_000, 100_000] });
      await seed(image, 'team/app', 'v1');
      await seed(sampleImage({ labels: { older: 'yes' } }), 'team/app', 'v0');
      policies(replicates({ source: { registry: 'hub', repositories: ['team/app'] } }));
      const last = image.layers[2]!.digest;
      const sent = (): string[] => proxy.answered.filter((one) => one.startsWith('PUT ') && one.includes('/uploads/'));
      const held = new Promise<void>((resolve) =>
        proxy.hold(
          (what) => what.startsWith('PUT ') && what.includes(encodeURIComponent(last)),
          () => resolve(),
        ),
      );
      await startChild();
      const handle = await start();
      await held;
      // The first image is done, and of the second all but one blob.
      await eventually('the other blobs', () => sent().length === 3 + 3);
      await child!.kill();
      proxy.release();
      const client = new ImageSyncClient({ client: env.client, taskQueue: queue, deadlineMs: 5_000 });
      await startChild();
      const status = (await handle.result()) as SyncStatus;
      expect(status).toMatchObject({ state: 'done', totals: { images: 2, errors: 0 } });
      expect(status.totals.tagsCopied).toBe(2);
      const digests = sent().map((one) => one.split('digest=')[1]);
      expect(new Set(digests).size).toBe(digests.length);
      expect(digests).toHaveLength(3 + 4);
      const copies = recordsOf(recordsFile()).filter(({ kind }) => kind === 'acted');
      expect(copies.map((one) => (one as DomainRecord).part).sort()).toEqual(['v0', 'v1']);
      const answer = await fetch(`http://${proxy.host}/v2/mirror/team/app/manifests/v1`, { method: 'HEAD' });
      expect(answer.headers.get('docker-content-digest')).toBe(image.manifest.digest);
      expect(await client.status(handle.workflowId)).toMatchObject({ found: 'status', status: { state: 'done' } });
    });
  });

  it('the schedule of a policy is created, follows the policy, stays paused by hand, copies, and goes with the policy', async () => {
    const image = push('team/app', 'v1');
    const scheduled = (more: object = {}) => policies(replicates({ schedule: '*/15 * * * *', ...more }));
    scheduled();
    const parts = await imageParts({ settings: settings() });
    const prefix = imageSchedulePrefixOf(queue);
    const book = createTemporalSchedules({
      client: env.client,
      taskQueue: queue,
      prefix,
      workflowTaskTimeoutMs: 3_000,
    });
    const schedule = env.client.schedule.getHandle(`${prefix}all`);
    const wanted = async () => new Map(wantedSyncs(await parts.images.policies(), prefix).map((one) => [one.id, one]));
    const reconcile = () => reconcileWanted(wanted, book, 0);
    const untilListed = (what: string, paused: boolean | undefined) =>
      eventually(what, async () => (await book.list())[0]?.paused === paused);
    try {
      expect(await reconcile()).toMatchObject({ created: 1, failures: [] });
      const made = await schedule.describe();
      expect(made.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 900_000 });
      expect(made.info.nextActionTimes.every((time) => time.getUTCMinutes() % 15 === 0)).toBe(true);
      await untilListed('the schedule', false);

      await env.withWorker(queue, createImageActivities(parts), async () => {
        await schedule.trigger();
        await eventually('the image', () => tagsOf('mirror/team/app').v1 === image.manifest.digest);
        await eventually('the end', () => parts.records.some(({ kind }) => kind === 'ended'));
      });
      const ended = parts.records.find(({ kind }) => kind === 'ended');
      expect(ended).toMatchObject({ actor: 'schedule', workflowID: expect.stringMatching(`^${prefix}all-`) });

      await schedule.pause('the mirror is full');
      await untilListed('the pause', true);
      expect(await reconcile()).toMatchObject({ created: 0, updated: 0, removed: 0, held: [`${prefix}all`] });
      expect((await schedule.describe()).state).toMatchObject({ paused: true, note: 'the mirror is full' });

      await schedule.unpause();
      await untilListed('the end of the pause', false);
      scheduled({ enabled: false, schedule: '30 * * * *' });
      expect(await reconcile()).toMatchObject({ created: 0, updated: 1, failures: [] });
      const off = await schedule.describe();
      expect(off.state.paused).toBe(true);
      expect(new Set(off.info.nextActionTimes.map((time) => time.getUTCMinutes()))).toEqual(new Set([30]));

      policies(replicates());
      expect(await reconcile()).toMatchObject({ created: 0, updated: 0, removed: 1, failures: [] });
      await expect(schedule.describe()).rejects.toThrow(ScheduleNotFoundError);
    } finally {
      await parts.images.close();
    }
  });
});
