import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import type { DataConverter, PayloadConverter } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import type { Alert } from '../src/alerts/alert';
import { openAuditDatabase } from '../src/audit/stores/postgres/open-audit-database';
import { createPostgresAuditStore } from '../src/audit/stores/postgres/store';
import { builtWorkflows } from '../src/built-workflows';
import { DeploymentClient } from '../src/clients/deployment-client';
import { startLevelServer, type Metric } from '../src/dev/level-server';
import { createGateActivities, gatePlugin, startSweep } from '../src/plugin';
import { createEvaluator } from '../src/rego/evaluation/evaluator';
import { openReleaseSource } from '../src/releases/sources/open-release-source';
import { gateDataConverter } from '../src/settings/open-data-converter';
import { workflowIdOf } from '../src/kernel/names';
import { explainQuery, resumeUpdate, statusQuery } from '../src/workflows/messages';
import { FakeGateActivities } from './fakes/fake-gate-activities';
import { quickRelease } from './support/gate-harness';
import { eventually, startTemporalEnv, type TemporalEnv } from './support/temporal-env';
import { bytes, rawPayload, rawSignal } from './support/raw-messages';
import { createLogger } from '../src/platform/observability/logger';
import { parseSettings, type LoadedSettings } from '../src/settings/load-settings';
import type { own } from './workflows/own-workflows';

const OWN: DataConverter = { payloadConverterPath: require.resolve('./fixtures/payload-converter/upside-down') };
const workflowsPath = require.resolve('./workflows/own-workflows');
const DEFAULTS: LoadedSettings = { settings: parseSettings({}, { file: 'settings' }, __dirname), baseDir: __dirname };
const logger = new DefaultLogger('ERROR');
const QUIET = createLogger({ level: 'silent' });

describe('the gate in a worker of one’s own', () => {
  let env: TemporalEnv;
  let connection: NativeConnection;
  let folder: string;

  beforeAll(async () => {
    env = await startTemporalEnv(workflowsPath);
    folder = mkdtempSync(join(tmpdir(), 'gate-plugin-'));
    connection = await NativeConnection.connect({ address: env.server.address });
  });
  afterAll(async () => {
    await connection?.close();
    await env?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Pauses on an error, gets a signal that nobody can read, is resumed and ends; then its history is replayed. */
  const endsWell = async (dataConverter: DataConverter, bundle?: WorkflowBundle): Promise<void> => {
    const id = `own-${randomUUID()}`;
    const gate = new FakeGateActivities();
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
    const open = {
      activities: gate.activities(),
      dataConverter: await gateDataConverter(DEFAULTS),
      close: async () => undefined,
    };
    const plugins = [gatePlugin(open)];
    const workflows = bundle ? { workflowBundle: bundle } : { workflowsPath };
    const worker = await Worker.create({
      connection,
      taskQueue: id,
      dataConverter,
      plugins,
      ...workflows,
    });
    const client = new Client({ connection, dataConverter, plugins });
    const history = await worker.runUntil(async () => {
      const handle = await client.workflow.start<typeof own>('own', {
        workflowId: workflowIdOf(id),
        taskQueue: id,
        args: [{ id, stages: ['eu'] }],
      });
      await eventually('a pause', async () => (await handle.query(statusQuery)).state === 'paused');
      await rawSignal({ client: env.client, workflowId: workflowIdOf(id) }, 'resume', [rawPayload(bytes('{'))]);
      await eventually('a note', async () => (await handle.query(explainQuery)).notes.length === 1);
      gate.verdict = { outcome: 'allow' };
      const { pause } = await handle.query(statusQuery);
      await handle.executeUpdate(resumeUpdate, { args: [{ actor: 'ann', reason: 'checked', for: pause?.id }] });
      expect(await handle.result()).toHaveLength(1);
      return await handle.fetchHistory();
    });
    await Worker.runReplayHistory({ ...workflows, dataConverter, plugins }, history, workflowIdOf(id));
  };

  it('the plugin brings the payload converter of messages to a worker, a client and a replay', () => endsWell({}));

  it('the plugin wraps a payload converter of one’s own, in a bundle made beforehand too', async () => {
    const plugins = [
      gatePlugin({
        activities: new FakeGateActivities().activities(),
        dataConverter: {},
        close: async () => undefined,
      }),
    ];
    const bundle = await bundleWorkflowCode({
      workflowsPath,
      logger,
      payloadConverterPath: OWN.payloadConverterPath,
      plugins,
    });
    await endsWell(OWN, bundle);
    await endsWell(OWN);
  });

  it('gateDataConverter wraps a payload converter of one’s own', async () => {
    const { payloadConverterPath } = await gateDataConverter(DEFAULTS, process.env, OWN);
    const { payloadConverter } = (await import(payloadConverterPath!)) as { payloadConverter: PayloadConverter };
    const payload = payloadConverter.toPayload({ a: 1 });
    expect(Buffer.from(payload.data!).toString()).toBe('}1:"a"{');
    expect(payloadConverter.fromPayload(payload)).toEqual({ a: 1 });
    await expect(gateDataConverter(DEFAULTS, process.env, { payloadConverterPath: './own' })).rejects.toThrow(
      'absolute',
    );
  });

  it('the plugin has heartbeats sent each second, so that an abort reaches an action at once, unless you say otherwise', () => {
    const open = { activities: new FakeGateActivities().activities(), dataConverter: {}, close: async () => undefined };
    const configured = gatePlugin(open).configureWorker({ taskQueue: 'q' });
    expect(configured.maxHeartbeatThrottleInterval).toBe('1s');
    const own = gatePlugin(open).configureWorker({ taskQueue: 'q', maxHeartbeatThrottleInterval: '5s' });
    expect(own.maxHeartbeatThrottleInterval).toBe('5s');
  });

  it('startSweep records the end of a terminated workflow of a program that has no gate worker', async () => {
    const id = `swept-${randomUUID()}`;
    const settings = { audit: { store: { folder } }, release: { manifest: join(folder, 'none.json') } };
    const loaded = { settings: parseSettings(settings, { file: 'settings' }, folder), baseDir: folder };
    const open = await createGateActivities(loaded, { env: {}, logger: QUIET, stdout: { write: () => true } });
    const sweep = await startSweep(open, { connection, taskQueue: `${id}-sweep` });
    const gate = new FakeGateActivities();
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
    const { recordClosed } = open.activities;
    const worker = await env.startWorker(id, {}, undefined, {
      plugins: [gatePlugin({ ...open, activities: { ...gate.activities(), recordClosed } })],
    });
    try {
      const handle = await env.client.workflow.start<typeof own>('own', {
        ...{ workflowId: id, taskQueue: id, args: [{ id, stages: ['eu'] }] },
      });
      await eventually('a pause', async () => (await handle.query(statusQuery)).state === 'paused');
      await handle.terminate('wrong cluster');
      await eventually('the sweep to have recorded it', async () => {
        const { events } = await env.client.workflow.getHandle('gate/sweep').fetchHistory();
        const results = events?.flatMap((event) => event.activityTaskCompletedEventAttributes?.result?.payloads ?? []);
        return results?.some(({ data }) => Buffer.from(data ?? []).toString() === '"recorded"');
      });
    } finally {
      await worker.stop();
      await env.client.workflow.getHandle('gate/sweep').terminate();
      await sweep.stop();
      await open.close();
    }
  });

  it('the plugin runs a deployment with a store, releases, an evaluator, a receiver and an action of the program’s own', async () => {
    const id = `parts-${randomUUID()}`;
    const levels = await startLevelServer();
    const database = await openAuditDatabase({ folder: join(folder, 'own-store') });
    const auditStore = createPostgresAuditStore(database);
    const threads = createEvaluator({ threads: 1 });
    const [sent, acted]: [Alert[], string[]] = [[], []];
    let evaluations = 0;
    const write = (name: string, document: object) => writeFileSync(join(folder, name), JSON.stringify(document));
    write('release.json', quickRelease(levels.url));
    write('latest.json', { policy: join(__dirname, '..', 'policy'), config: 'release.json', version: 'v7' });
    const settingsOf = (manifest: string): LoadedSettings => ({
      settings: parseSettings({ release: { manifest } }, { file: 'settings' }, folder),
      baseDir: folder,
    });
    // The settings name another store and other releases: nothing of them is opened.
    const open = await createGateActivities(settingsOf('nowhere.json'), {
      ...{ env: {}, logger: QUIET, stdout: { write: () => true } },
      auditStore,
      releaseSource: openReleaseSource(settingsOf('latest.json'), { env: {} }),
      evaluator: { evaluate: (request) => ((evaluations += 1), threads.evaluate(request)) },
      alertReceivers: [{ name: 'own', send: async (alert) => void sent.push(alert) }],
      actions: { promote: { run: async ({ idempotencyKey }) => void acted.push(idempotencyKey) } },
    });
    const { bundle } = await builtWorkflows();
    const worker = await Worker.create({
      ...{ connection, taskQueue: id, workflowBundle: bundle, plugins: [gatePlugin(open)] },
    });
    try {
      const set = (pending: Metric) => {
        levels.setMetric('pending_delta', pending);
        levels.setMetric('max_pending', { value: 800 });
        levels.setMetric('region_health', { value: { eu: { status: 'green' } } });
      };
      set({ behaviour: { status: 503 } });
      const deployments = new DeploymentClient({ client: env.client, taskQueue: id, deadlineMs: 300_000 });
      await worker.runUntil(async () => {
        await deployments.start({ id, stages: [{ name: 'canary', action: { type: 'module', name: 'promote' } }] });
        const handle = env.client.workflow.getHandle(workflowIdOf(id));
        await eventually('a pause', async () => (await handle.query(statusQuery)).state === 'paused');
        await eventually('the alert', () => sent.some(({ name }) => name === 'DeploymentPaused'));
        expect(acted).toEqual([]);
        set({ value: 100 });
        const { pause } = await handle.query(statusQuery);
        await deployments.call(id, 'resume', { actor: 'ann', reason: 'checked', for: pause?.id });
        expect(await handle.result()).toMatchObject({ state: 'done' });
      });
      expect(acted).toEqual([`${id}/canary`]);
      expect(evaluations).toBeGreaterThan(0);
      const records = await auditStore.list({ deploymentID: id, newestFirst: false });
      expect(records.at(-1)).toMatchObject({ kind: 'ended' });
      expect(records.find(({ outcome }) => outcome === 'allow')).toMatchObject({ manifestVersion: 'v7' });
    } finally {
      await open.close();
      await threads.close();
      await auditStore.close();
      await levels.close();
    }
  });
});
