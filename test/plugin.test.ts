import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import type { DataConverter, PayloadConverter } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import { gatePlugin } from '../src/plugin';
import { gateDataConverter } from '../src/settings/open-data-converter';
import { workflowIdOf } from '../src/kernel/names';
import { explainQuery, resumeUpdate, statusQuery } from '../src/workflows/messages';
import { FakeGateActivities } from './fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type TemporalEnv } from './support/temporal-env';
import { bytes, rawPayload, rawSignal } from './support/raw-messages';
import { parseSettings, type LoadedSettings } from '../src/settings/load-settings';
import type { own } from './workflows/own-workflows';

const OWN: DataConverter = { payloadConverterPath: require.resolve('./fixtures/payload-converter/upside-down') };
const workflowsPath = require.resolve('./workflows/own-workflows');
const DEFAULTS: LoadedSettings = { settings: parseSettings({}, { file: 'settings' }, __dirname), baseDir: __dirname };
const logger = new DefaultLogger('ERROR');

describe('the gate in a worker of one’s own', () => {
  let env: TemporalEnv;
  let connection: NativeConnection;

  beforeAll(async () => {
    env = await startTemporalEnv(workflowsPath);
    connection = await NativeConnection.connect({ address: env.server.address });
  });
  afterAll(async () => {
    await connection?.close();
    await env?.stop();
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
});
