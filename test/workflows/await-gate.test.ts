import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { workflowIdOf } from '../../src/kernel/names';
import { statusQuery } from '../../src/workflows/messages';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type TemporalEnv } from '../support/temporal-env';
import type { atOnce, busy, own } from './own-workflows';

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
});
