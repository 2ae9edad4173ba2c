import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { workflowIdOf } from '../../src/kernel/names';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { bundleOptions } from '../../src/built-workflows';
import { decodeHistory, type HistoryFile } from '../support/history-file';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';

let env: TemporalEnv;
beforeAll(async () => {
  env = await startTemporalEnv();
});
afterAll(async () => {
  await env?.stop();
});

describe('state that a newer release carried over', () => {
  it('state that a newer release carried over fails the workflow task and never the workflow', async () => {
    const taskQueue = 'newer-state';
    await env.withWorker(taskQueue, new FakeGateActivities().activities(), async () => {
      const workflowId = workflowIdOf('newer');
      const handle = await env.client.workflow.start('deployment', {
        workflowId,
        taskQueue,
        args: [{ spec: { id: 'newer', stages: [{ name: 'canary' }] }, carried: { version: 1_000, stageIndex: 0 } }],
      });
      const failed = await eventually('a failed workflow task', async () => {
        const { events } = await handle.fetchHistory();
        return events?.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes;
      });
      expect(failed?.failure?.message).toContain('got 1000: a newer release continued this workflow');
      expect((await handle.describe()).status.name).toBe('RUNNING');
      await handle.terminate();
    });
  });
});

describe('a run whose target version has changed', () => {
  it('a run whose target version has changed continues as new, which a replay notices as another command than the recorded one', async () => {
    const logger = new DefaultLogger('ERROR');
    const workflowBundle = await bundleWorkflowCode({ ...bundleOptions(false), logger });
    const path = join(__dirname, '..', 'histories', '0.1.0', 'paused-and-resumed.json');
    const file = JSON.parse(readFileSync(path, 'utf8')) as HistoryFile;
    const history = decodeHistory(file);
    for (const { workflowTaskStartedEventAttributes: started } of history.events ?? []) {
      if (started) started.targetWorkerDeploymentVersionChanged = true;
    }
    await expect(Worker.runReplayHistory({ workflowBundle }, history, file.workflowId)).rejects.toMatchObject({
      name: 'DeterminismViolationError',
      message: expect.stringMatching(/Continue as new/),
    });
  });
});
