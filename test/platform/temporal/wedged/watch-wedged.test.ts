import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Alert } from '../../../../src/alerts/alert';
import { createStandingAlerts } from '../../../../src/alerts/standing-alerts';
import { createWedgedAlerts } from '../../../../src/alerts/wedged-alerts';
import { DeploymentClient } from '../../../../src/clients/deployment-client';
import { workflowIdOf } from '../../../../src/kernel/names';
import { messageConverterPath } from '../../../../src/platform/temporal/converters/message-converter-path';
import { createPayloadCodec } from '../../../../src/platform/temporal/encryption/payload-codec';
import { findWedgedWorkflows, wedgedWorkflow, wedgedText } from '../../../../src/platform/temporal/wedged/find-wedged';
import { watchWedged } from '../../../../src/platform/temporal/wedged/watch-wedged';
import { systemTimers } from '../../../../src/platform/timers/system-timers';
import { FakeGateActivities } from '../../../fakes/fake-gate-activities';
import { bytes, rawPayload } from '../../../support/raw-messages';
import { eventually, startTemporalEnv, type TemporalEnv } from '../../../support/temporal-env';

describe('a wedged deployment', () => {
  let env: TemporalEnv;
  beforeAll(async () => {
    env = await startTemporalEnv();
  });
  afterAll(async () => {
    await env?.stop();
  });

  it('a wedged deployment shows in its status, in the doctor’s search and as one alert, until it is over', async () => {
    const [bad, good, taskQueue] = [`bad-${randomUUID()}`, `good-${randomUUID()}`, `wedged-${randomUUID()}`];
    const gate = new FakeGateActivities();
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
    gate.stages = { ...gate.stages, recheckEvery: '1h' };
    const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 20_000 });
    const alerts: Alert[] = [];
    const failures: unknown[] = [];
    const looks: number[] = [];
    const standing = createStandingAlerts({
      send: async (alert) => void alerts.push(alert),
      nowMs: () => 5,
      onUndelivered: (error) => failures.push(error),
    });
    const wedgedAlerts = createWedgedAlerts(standing);

    await env.withWorker(taskQueue, gate.activities(), async () => {
      await deployments.start({ id: good, stages: [{ name: 'canary' }] });
      // Input that no worker can read must fail the workflow task: that is not for a worker to decide without.
      await env.client.workflowService.startWorkflowExecution({
        namespace: 'default',
        workflowId: workflowIdOf(bad),
        workflowType: { name: 'deployment' },
        taskQueue: { name: taskQueue },
        input: { payloads: [rawPayload(bytes('{'))] },
        requestId: randomUUID(),
        // Later attempts are not reported by the worker: they run out of this time.
        workflowTaskTimeout: { seconds: 4 as never },
      });
      const watch = watchWedged({
        client: env.client,
        namespace: 'default',
        taskQueue,
        timers: systemTimers,
        everyMs: 100,
        perLook: 1,
        onLook: (wedged) => {
          looks.push(wedged.length);
          wedgedAlerts.found(wedged.map((one) => ({ ...one, text: wedgedText(one) })));
        },
        onFailure: (error) => failures.push(error),
      });
      try {
        await eventually('an alert', async () => alerts.length > 0);
        const status = await deployments.status(bad);
        expect(status).toMatchObject({
          found: 'unanswered',
          wedged: {
            workflowId: workflowIdOf(bad),
            cause: 'WORKFLOW_WORKER_UNHANDLED_FAILURE',
            message: expect.stringContaining('JSON'),
          },
        });
        const { wedged } = await findWedgedWorkflows(env.client, 'default', taskQueue);
        expect(wedged.map(({ workflowId }) => workflowId)).toEqual([workflowIdOf(bad)]);
        await env.client.workflow.getHandle(workflowIdOf(bad)).terminate('over');
        await eventually('the end', async () => alerts.length > 1);
      } finally {
        await watch.stop();
      }
    });

    expect(alerts).toEqual([
      expect.objectContaining({
        status: 'firing',
        name: 'GateWedged',
        deploymentId: bad,
        fingerprint: `wedged-deployment/${bad}`,
      }),
      expect.objectContaining({ status: 'resolved', name: 'GateWedged', deploymentId: bad, endsAtMs: 5 }),
    ]);
    expect(alerts[0]?.description).toMatch(/failing workflow task \(attempt \d+, .*JSON/);
    expect(alerts[0]?.startsAtMs).toBeGreaterThan(0);
    expect([failures, Math.max(...looks)]).toEqual([[], 1]);
  });

  it('a wedged deployment is found although every attempt of its workflow task only ran out of time', async () => {
    const [workflowId, taskQueue] = [workflowIdOf(`slow-${randomUUID()}`), `wedged-${randomUUID()}`];
    const handle = await env.client.workflow.start('deployment', { workflowId, taskQueue, workflowTaskTimeout: '1s' });
    const seen = [];
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      // A worker that takes the task and never answers.
      await env.client.withDeadline(Date.now() + 50_000, () =>
        env.client.workflowService.pollWorkflowTaskQueue({ namespace: 'default', taskQueue: { name: taskQueue } }),
      );
      seen.push(await wedgedWorkflow(env.client, 'default', workflowId));
    }
    expect(seen).toEqual([undefined, undefined, expect.objectContaining({ cause: 'TIMED_OUT', attempt: 3 })]);
    await handle.terminate();
  });

  it('a wedged deployment is told as resolved once, when a worker that has its key is back', async () => {
    const [id, taskQueue] = [`sealed-${randomUUID()}`, `wedged-${randomUUID()}`];
    const withKey = (byte: number): DataConverter => ({
      payloadConverterPath: messageConverterPath(),
      payloadCodecs: [createPayloadCodec([{ id: `key-${byte}`, bytes: new Uint8Array(32).fill(byte) }])],
    });
    const gate = new FakeGateActivities();
    const client = new Client({ connection: env.client.connection, dataConverter: withKey(1) });
    const alerts: Alert[] = [];
    const failures: unknown[] = [];
    const standing = createStandingAlerts({
      send: async (alert) => void alerts.push(alert),
      nowMs: () => 5,
      onUndelivered: (error) => failures.push(error),
    });
    const { found } = createWedgedAlerts(standing);
    let looks = 0;
    const watch = watchWedged({
      client: env.client,
      namespace: 'default',
      taskQueue,
      timers: systemTimers,
      everyMs: 100,
      onLook: (wedged) => {
        looks += 1;
        found(wedged.map((one) => ({ ...one, text: wedgedText(one) })));
      },
      onFailure: (error) => failures.push(error),
    });
    let worker = await env.startWorker(taskQueue, gate.activities(), withKey(2));
    try {
      const handle = await client.workflow.start('deployment', {
        workflowId: workflowIdOf(id),
        taskQueue,
        workflowTaskTimeout: '4s',
        args: [{ spec: { id, stages: [{ name: 'canary' }] } }],
      });
      await eventually('the alert', async () => alerts.length > 0);
      await worker.stop();
      worker = await env.startWorker(taskQueue, gate.activities(), withKey(1));
      expect(await handle.result()).toMatchObject({ state: 'done' });
      await eventually('the end of the alert', async () => alerts.length > 1);
      const seen = looks;
      await eventually('more looks', () => looks > seen + 2);
    } finally {
      await watch.stop();
      await worker.stop();
    }
    expect(alerts.map(({ status, name, deploymentId }) => [status, name, deploymentId])).toEqual([
      ['firing', 'GateWedged', id],
      ['resolved', 'GateWedged', id],
    ]);
    expect(failures).toEqual([]);
  });

  it('a wedged deployment is one of at most twenty that are alerted at a time', async () => {
    const alerts: Alert[] = [];
    const standing = createStandingAlerts({
      send: async (alert) => void alerts.push(alert),
      nowMs: () => 1,
      onUndelivered: () => undefined,
    });
    const { found } = createWedgedAlerts(standing);
    const reports = Array.from({ length: 30 }, (_, index) => ({ workflowId: `w${index}`, sinceMs: 0, text: 'x' }));
    found(reports);
    found(reports);
    await eventually('the alerts', async () => alerts.length === 20);
    found(reports.slice(20));
    await eventually('the others', async () => alerts.length === 50);
    expect(alerts.filter(({ status }) => status === 'resolved')).toHaveLength(20);
  });
});
