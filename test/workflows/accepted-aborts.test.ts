import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { StageSpec } from '../../src/gate/deployments/deployment-spec';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const OPERATOR = { actor: 'ann', reason: 'wrong build' };
const url = 'http://127.0.0.1:2/devices';
const compensated = { type: 'http', method: 'PATCH', url, compensation: { method: 'DELETE', url } } as const;

describe('what an accepted abort and a cancellation stop', () => {
  let env: TemporalEnv;
  let gate: FakeGateActivities;
  let deployments: DeploymentClient;
  let queue: string;
  let id: string;

  beforeAll(async () => {
    env = await startTemporalEnv();
  });
  afterAll(async () => {
    await env?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    queue = `queue-${id}`;
    gate = new FakeGateActivities();
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 60_000 });
  });

  const { handle, status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const start = (...stages: StageSpec[]) => deployments.start({ id, stages });
  const running = (use: () => Promise<void>): Promise<void> => env.withWorker(queue, gate.activities(), use);
  const abort = () => deployments.call(id, 'abort', OPERATOR);

  it.each([
    ['without an action', {}],
    ['with an action, which is neither sent nor taken back', { action: compensated }],
  ])('an abort that is accepted while a stage is decided ends a deployment %s', (_what, over) =>
    running(async () => {
      let collecting = (): void => undefined;
      const hanging = new Promise<void>((resolve) => (collecting = resolve));
      gate.collectGate = () => hanging;
      await start({ name: 'canary', ...over }, { name: 'fleet' });
      await eventually('a collection', () => gate.collected.length === 1);
      expect(await abort()).toMatchObject({ result: 'answered', reply: { accepted: true, state: 'aborted' } });
      collecting();
      await closed();
      expect((await status()).stages.map(({ name, state }) => `${name} ${state}`)).toEqual([
        'canary aborted',
        'fleet pending',
      ]);
      expect(gate.kinds()).toEqual(['abort', 'ended']);
      expect([gate.collected.length, gate.actions.length, gate.compensations.length]).toEqual([1, 0, 0]);
    }),
  );

  it.each([
    ['the last one, is too late', [], 'done', { accepted: false, message: 'too late: done' }],
    ['not the last one, ends the deployment before the next one', ['fleet'], 'aborted', { accepted: true }],
  ])('an abort that is accepted after the success of a stage, %s', (_what, others, state, reply) =>
    running(async () => {
      // The success is known, and waits for its record.
      gate.actionGate = async () => void (gate.storeDown = true);
      await start({ name: 'canary', action: compensated }, ...others.map((name) => ({ name })));
      await reaches('paused');
      const answer = abort();
      await eventually('the abort in the history', async () => {
        const { events } = await handle().fetchHistory();
        return events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
      });
      gate.storeDown = false;
      expect(await answer).toMatchObject({ result: 'answered', reply });
      await closed();
      const now = await status();
      expect([now.state, now.stages[0]?.state, gate.collected.length]).toEqual([state, 'done', 1]);
      expect(gate.compensations).toEqual([]);
    }),
  );

  it('an abort takes effect while an action hangs, and takes it back', () =>
    running(async () => {
      gate.actionGate = async (cancelled) => void (await cancelled);
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      expect(await abort()).toMatchObject({ reply: { accepted: true } });
      expect(gate.compensations).toEqual([`${id}/canary`]);
    }));

  it('an action that no worker took is not taken back', async () => {
    const queueOnly = { enableNonLocalActivities: false };
    const deciding = await env.startWorker(queue, gate.activities(), undefined, queueOnly);
    const collecting: RunningWorker = await env.startWorker(queue, gate.activities(), undefined, {
      workflowBundle: undefined,
    });
    let stopped: Promise<void> | undefined;
    gate.collectGate = async () => void (stopped = collecting.stop());
    try {
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      await stopped;
      const answer = abort();
      await eventually('the end of the action that waits', async () => {
        const { events } = await handle().fetchHistory();
        return events?.some((event) => event.activityTaskCanceledEventAttributes);
      });
      gate.collectGate = undefined;
      await deciding.stop();
      await running(async () => {
        expect(await answer).toMatchObject({ reply: { accepted: true } });
        await closed();
        expect(gate.kinds()).toEqual(['decision:allow', 'abort', 'ended']);
        expect((await status()).endReason).toBe('aborted by ann: wrong build');
      });
    } finally {
      await deciding.stop();
    }
  });

  it('a cancellation in Temporal that comes before the first stage is recorded as an abort', async () => {
    await start({ name: 'canary', action: compensated });
    await handle().cancel();
    await running(async () => {
      await closed();
      expect(gate.kinds()).toEqual(['abort', 'ended']);
      expect([...gate.records.values()].map(({ actor }) => actor)).toEqual(['temporal', 'temporal']);
      expect((await handle().describe()).status.name).toBe('CANCELLED');
      expect(gate.collected).toEqual([]);
    });
  });

  it('a cancellation in Temporal while an action hangs takes it back and says so', () =>
    running(async () => {
      gate.actionGate = async (cancelled) => void (await cancelled);
      await start({ name: 'canary', action: compensated });
      await reaches('acting');
      await handle().cancel();
      await closed();
      expect(gate.compensations).toEqual([`${id}/canary`]);
      expect(gate.kinds()).toEqual(['decision:allow', 'acted', 'abort', 'ended']);
      expect((await status()).endReason).toBe('the workflow was cancelled in Temporal (compensated)');
      expect((await handle().describe()).status.name).toBe('CANCELLED');
    }));

  it('a cancellation in Temporal while the audit store is down ends the outage with its record and its message', () =>
    running(async () => {
      gate.storeDown = true;
      await start({ name: 'canary', action: compensated });
      await reaches('paused');
      await handle().cancel();
      gate.storeDown = false;
      await closed();
      expect(gate.kinds().sort()).toEqual(['abort', 'decision:allow', 'ended', 'pause', 'resolved']);
      // the incident, and the end of the deployment
      expect(gate.alerts.map(({ name, status: state }) => [name, state])).toEqual([
        ['DeploymentPaused', 'firing'],
        ['DeploymentPaused', 'resolved'],
        ['DeploymentAborted', 'firing'],
      ]);
      expect(gate.actions).toEqual([]);
    }));
});
