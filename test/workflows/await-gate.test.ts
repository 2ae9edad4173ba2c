import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { statusQuery } from '../../src/workflows/messages';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';
import type { atOnce, busy, careful, impatient, own } from './own-workflows';

describe('awaitGate, from a workflow of one’s own', () => {
  let env: TemporalEnv;
  let gate: FakeGateActivities;
  let id: string;
  let taskQueue: string;

  beforeAll(async () => {
    env = await startTemporalEnv(require.resolve('./own-workflows'));
  });
  afterAll(async () => {
    await env?.stop();
  });
  beforeEach(() => {
    id = `own-${randomUUID()}`;
    taskQueue = `queue-${id}`;
    gate = new FakeGateActivities();
  });

  const start = (stages: string[]) =>
    env.client.workflow.start<typeof own>('own', { workflowId: workflowIdOf(id), taskQueue, args: [{ id, stages }] });

  it('awaitGate passes stage after stage, with a lease for each', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      const passes = await (await start(['eu', 'us'])).result();
      expect(passes).toEqual([
        {
          outcome: 'allow',
          overridden: false,
          decisionId: expect.any(String),
          lease: expect.objectContaining({ decisionId: expect.any(String) }),
        },
        {
          outcome: 'allow',
          overridden: false,
          decisionId: expect.any(String),
          lease: expect.objectContaining({ decisionId: expect.any(String) }),
        },
      ]);
      expect(gate.kinds()).toEqual(['decision:allow', 'decision:allow', 'ended']);
    }));

  it('awaitGate answers the operator’s messages, and shows the stages behind it as done', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 300_000 });
      gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
      const handle = await start(['eu', 'us']);
      for (const stage of ['eu', 'us']) {
        const { lastDecision } = await eventually(`${stage} to wait`, async () => {
          const status = await handle.query(statusQuery);
          return status.state === 'waiting' && status.stage === stage && status;
        });
        const call = { actor: 'ann', reason: 'known', for: lastDecision?.decisionId };
        expect(await deployments.call(id, 'override', call)).toMatchObject({
          result: 'answered',
          reply: { accepted: true },
        });
      }
      expect((await handle.result()).map((pass) => pass.overridden)).toEqual([true, true]);
      expect(await handle.query(statusQuery)).toMatchObject({
        state: 'done',
        stages: [
          { name: 'eu', state: 'done' },
          { name: 'us', state: 'done' },
        ],
      });
    }));

  it('awaitGate throws DeploymentAborted into the workflow when an operator aborts', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 300_000 });
      gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
      const handle = await start(['eu']);
      await eventually('eu to wait', async () => (await handle.query(statusQuery)).state === 'waiting');
      await deployments.call(id, 'abort', { actor: 'ann', reason: 'wrong build' });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'DeploymentAborted' } });
    }));

  it.each([
    ['awaitGate for the next stage', 'second', 'aborted', ['first done']],
    ['closeGate', undefined, 'aborted', ['first aborted']],
  ])('an abort that is accepted while the workflow does its own work is thrown by %s', (_what, next, state, stages) =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 60_000 });
      const args: [{ id: string; next?: string }] = [{ id, ...(next === undefined ? {} : { next }) }];
      const handle = await env.client.workflow.start<typeof busy>('busy', {
        workflowId: workflowIdOf(id),
        taskQueue,
        args,
      });
      await eventually('own work', async () => (await handle.query(statusQuery)).state === 'acting');
      const answer = deployments.call(id, 'abort', { actor: 'ann', reason: 'wrong build' });
      await eventually('the abort in the history', async () => {
        const { events } = await handle.fetchHistory();
        return events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
      });
      await handle.signal('workDone');
      expect(await answer).toMatchObject({ result: 'answered', reply: { accepted: true, state: 'aborted' } });
      expect(await handle.result()).toBe('DeploymentAborted');
      const now = await handle.query(statusQuery);
      expect(now.state).toBe(state);
      expect(now.stages.map((stage) => `${stage.name} ${stage.state}`)).toEqual(stages);
      expect(gate.kinds()).toEqual(['decision:allow', 'abort', 'ended']);
    }),
  );

  it('awaitGate takes stages that are asked for at once one after the other', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      const options = { workflowId: workflowIdOf(id), taskQueue, args: [{ id }] as [{ id: string }] };
      expect(await env.client.workflow.execute<typeof atOnce>('atOnce', options)).toEqual(['allow', 'allow']);
      expect(gate.collected.map(({ target }) => target.stage)).toEqual(['a', 'b']);
    }));

  it.each([
    ['waits at the gate', 'waiting', { stages: ['first'] }],
    ['is paused there', 'paused', { stages: ['first'] }],
  ])('a cancellation in Temporal of a workflow that %s is recorded as an abort', (_what, state, { stages }) =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      gate.verdict =
        state === 'waiting'
          ? { outcome: 'deny', reasons: ['too many: 3'] }
          : { outcome: 'error', faults: [{ type: 'FactStale', message: 'too old' }] };
      const handle = await start(stages);
      await eventually(`first to be ${state}`, async () => (await handle.query(statusQuery)).state === state);
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
      expect((await handle.describe()).status.name).toBe('CANCELLED');
      expect(gate.kinds().slice(-2)).toEqual([state === 'paused' ? 'resolved' : 'abort', 'ended']);
      const acts = [...gate.records.values()].filter(({ kind }) => kind === 'abort' || kind === 'ended');
      expect(acts.map(({ kind, actor }) => `${kind} by ${actor}`)).toEqual(['abort by temporal', 'ended by temporal']);
      expect(gate.alerts.at(-1)).toMatchObject({ name: 'DeploymentAborted', status: 'firing' });
      expect(await handle.query(statusQuery)).toMatchObject({ state: 'aborted' });
    }),
  );

  it('a cancellation in Temporal during the workflow’s own work is recorded when it closes the gate', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      let answers = (): void => undefined;
      const hanging = new Promise<void>((resolve) => (answers = resolve));
      gate.alertGate = () => hanging;
      const options = { workflowId: workflowIdOf(id), taskQueue, args: [{ id }] as [{ id: string }] };
      const handle = await env.client.workflow.start<typeof careful>('careful', options);
      await eventually('own work', async () => (await handle.query(statusQuery)).state === 'acting');
      await handle.cancel();
      await expect(handle.result()).rejects.toMatchObject({ name: 'WorkflowFailedError' });
      expect(gate.kinds()).toEqual(['decision:allow', 'abort', 'ended']);
      const { runId, status } = await handle.describe();
      expect(status.name).toBe('CANCELLED');
      // Its receiver hangs: the message about the end is left to a workflow of its own.
      const left = env.client.workflow.getHandle(`gate/alerts/${id}/${runId}`);
      expect((await left.describe()).status.name).toBe('RUNNING');
      answers();
      await left.result();
      expect(gate.alerts.map(({ name }) => name)).toEqual(['DeploymentAborted']);
    }));

  it('a workflow that gives up waiting by itself aborts nothing, and may wait again', () =>
    env.withWorker(taskQueue, gate.activities(), async () => {
      gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
      const options = { workflowId: workflowIdOf(id), taskQueue, args: [{ id }] as [{ id: string }] };
      const handle = await env.client.workflow.start<typeof impatient>('impatient', options);
      const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 300_000 });
      // The last decision may still be the one of the first wait: an override of that is refused.
      await eventually('the second wait to be overridden', async () => {
        if (!(await handle.query<boolean>('hasGivenUp'))) return false;
        const { lastDecision } = await handle.query(statusQuery);
        const request = { actor: 'ann', reason: 'known', for: lastDecision?.decisionId };
        const answer = await deployments.call(id, 'override', request);
        return answer.result === 'answered' && answer.reply.accepted;
      });
      expect(await handle.result()).toBe('allow');
      expect(gate.kinds().filter((kind) => kind === 'abort')).toEqual([]);
    }));
});
