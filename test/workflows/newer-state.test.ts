import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataConverter, Payload } from '@temporalio/common';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { PATCHES } from '../../src/gate/deployments/patches';
import { workflowIdOf } from '../../src/kernel/names';
import { messageConverterPath } from '../../src/platform/temporal/converters/message-converter-path';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { bundleOptions } from '../../src/built-workflows';
import { decodeHistory, type HistoryFile } from '../support/history-file';
import { keptBundle } from '../support/kept-bundle';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';

let env: TemporalEnv;
let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  [env, workflowBundle] = await Promise.all([startTemporalEnv(), keptBundle(bundleOptions(false))]);
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

describe('patches that a newer release names', () => {
  it('patches that a newer release names fail the workflow task and never the workflow, until a worker knows them', async () => {
    const taskQueue = 'newer-patches';
    const gate = new FakeGateActivities();
    gate.patches = [...PATCHES, 'of-tomorrow'];
    await env.withWorker(taskQueue, gate.activities(), async () => {
      const handle = await env.client.workflow.start('deployment', {
        workflowId: workflowIdOf('newer-patches'),
        taskQueue,
        args: [{ spec: { id: 'newer-patches', stages: [{ name: 'canary' }] } }],
      });
      const failed = await eventually('a failed workflow task', async () => {
        const { events } = await handle.fetchHistory();
        return events?.find((event) => event.workflowTaskFailedEventAttributes)?.workflowTaskFailedEventAttributes;
      });
      expect(failed?.failure?.message).toContain('got of-tomorrow: a newer release gave commands in this workflow');
      gate.patches = PATCHES;
      expect(await handle.result()).toMatchObject({ state: 'done' });
    });
  });
});

/** A place where a test holds others up. */
class Gate {
  isReached = false;
  open = (): void => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));

  async pass(): Promise<void> {
    this.isReached = true;
    await this.opened;
  }
}

describe('a local activity that ends while a query is answered', () => {
  /** Temporal asks for a status, and a signal is read, once the test lets them. */
  const holding = (answer: Gate, signal: Gate): DataConverter => {
    const holds = (payloads: Payload[], text: string): boolean =>
      payloads.some(({ data }) => Buffer.from(data ?? []).includes(text));
    return {
      payloadConverterPath: messageConverterPath(),
      payloadCodecs: [
        {
          encode: async (payloads) => {
            if (holds(payloads, '"state":"deciding","stage":')) await answer.pass();
            return payloads;
          },
          decode: async (payloads) => {
            if (holds(payloads, 'held up')) await signal.pass();
            return payloads;
          },
        },
      ],
    };
  };

  it('a local activity that ends while a query is answered is in the history one workflow task early, and the run replays all the same', async () => {
    const [taskQueue, id] = ['early-marker', 'early-marker'];
    const [evaluating, recording, answer, signal] = [new Gate(), new Gate(), new Gate(), new Gate()];
    const gate = new FakeGateActivities();
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    // The decision's record is then the one local activity of its workflow task.
    gate.evaluationFailures = ['PolicyEvaluation'];
    const own = gate.activities();
    const activities: typeof own = {
      ...own,
      evaluatePolicy: async (request) => {
        if (gate.evaluationFailures.length === 0) await evaluating.pass();
        return own.evaluatePolicy(request);
      },
      recordDecision: async (record) => {
        await recording.pass();
        return own.recordDecision(record);
      },
    };
    const worker = await env.startWorker(taskQueue, activities, holding(answer, signal));
    try {
      const handle = await env.client.workflow.start('deployment', {
        workflowId: workflowIdOf(id),
        taskQueue,
        // A local activity gets a share of it.
        workflowTaskTimeout: '2m',
        args: [{ spec: { id, stages: [{ name: 'canary', onDeny: 'wait' }] } }],
      });
      await eventually('the evaluation', () => evaluating.isReached);
      // While a workflow task is under way, the query waits for the next one: that of the evaluation's end.
      await handle.signal('of no name', 'held up');
      await eventually('a workflow task that is under way', () => signal.isReached);
      evaluating.open();
      const asked = handle.query('status');
      await delay(300);
      signal.open();
      await eventually('the record', () => recording.isReached);
      await eventually('the answer', () => answer.isReached);
      recording.open();
      await delay(300);
      answer.open();
      expect(await asked).toMatchObject({ state: 'deciding' });
      const history = await eventually('the recheck', async () => {
        const { events = [] } = await handle.fetchHistory();
        return (
          events?.at(-1)?.activityTaskScheduledEventAttributes?.activityId?.startsWith('recheck') === true && { events }
        );
      });
      await handle.terminate();
      const events = history.events ?? [];
      const marker = events.findLastIndex((event) => event.markerRecordedEventAttributes);
      // A workflow task that follows a marker at once.
      expect(events[marker + 1]?.workflowTaskScheduledEventAttributes).toBeTruthy();
      await Worker.runReplayHistory({ workflowBundle }, history, workflowIdOf(id));
    } finally {
      for (const held of [evaluating, recording, answer, signal]) held.open();
      await worker.stop();
    }
  });
});

describe('a run whose target version has changed', () => {
  it('a run whose target version has changed continues as new, which a replay notices as another command than the recorded one', async () => {
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
