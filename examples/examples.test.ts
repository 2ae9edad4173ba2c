import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { quietRuntime } from '../src/platform/temporal/quiet-runtime';
import { startGateHarness, type GateHarness } from '../test/support/gate-harness';
import { eventually } from '../test/support/temporal-env';
import { mayGoOn } from './library/decide';
import { runWorker } from './worker/worker';

describe('the examples', () => {
  let gate: GateHarness;
  beforeAll(async () => {
    quietRuntime({ Runtime, DefaultLogger });
    gate = await startGateHarness();
  });
  afterAll(async () => {
    await gate?.stop();
  });
  beforeEach(() => gate.heal());

  it('the library decides and records without Temporal', async () => {
    const options = { env: gate.env, ...gate.quiet };
    const said = jest.spyOn(console, 'error').mockReturnValue();
    expect(await mayGoOn(gate.settingsFile, 'library-1', 'canary', options)).toBe(true);
    gate.levels.setMetric('max_pending', { value: 3100 });
    expect(await mayGoOn(gate.settingsFile, 'library-2', 'canary', options)).toBe(false);
    gate.levels.setMetric('max_pending', { behaviour: { status: 503 } });
    expect(await mayGoOn(gate.settingsFile, 'library-3', 'canary', options)).toBe(false);
    expect(said.mock.calls).toEqual([
      [expect.stringMatching(/^denied: max_pending limit exceeded: current 3100 > configured 2000 \(record /)],
      [expect.stringMatching(/^no decision: Fact max_pending: .* answered 503$/)],
    ]);
    said.mockRestore();
    const list = await gate.json<{ deploymentID: string; outcome: string }[]>('audit', 'list', '--oldest-first');
    expect(list.map(({ deploymentID, outcome }) => `${deploymentID} ${outcome}`)).toEqual([
      'library-1 allow',
      'library-2 deny',
      'library-3 error',
    ]);
  });

  it('a workflow of one’s own waits at the gate and obeys its operators', async () => {
    const stop = new AbortController();
    const { address } = gate.temporal;
    const id = `rollout-${randomUUID()}`;
    const options = {
      address,
      taskQueue: 'rollouts',
      settings: gate.settingsFile,
      services: { env: gate.env, ...gate.quiet },
    };
    const running = runWorker(options, stop.signal);
    const connection = await Connection.connect({ address });
    try {
      gate.levels.setMetric('us/max_pending', { value: 3100 });
      const client = new Client({ connection });
      const handle = await client.workflow.start('rollout', {
        workflowId: `deployment/${id}`,
        taskQueue: 'rollouts',
        args: [{ id, regions: ['eu', 'us'] }],
      });
      await eventually(
        'the second region to wait',
        async () => (await gate.json<{ state: string; stage: string }>('status', id)).state === 'waiting',
      );
      expect(await gate.cli('override', id, '--actor', 'ann', '--reason', 'known')).toMatchObject({ code: 0 });
      expect(await handle.result()).toEqual(['eu has the new version', 'us has the new version']);
    } finally {
      stop.abort();
      await running;
      await connection.close();
    }
  });
});
