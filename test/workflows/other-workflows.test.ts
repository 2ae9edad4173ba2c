import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../src/kernel/names';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import type { deployment, several } from './several-gates';

const CALL = { actor: 'ann', reason: 'known' };

describe('workflows of other people that await the gate', () => {
  const gate = new FakeGateActivities();
  const taskQueue = `others-${randomUUID()}`;
  let env: TemporalEnv;
  let worker: RunningWorker;
  let deployments: DeploymentClient;
  let id: string;
  let second: string;

  beforeAll(async () => {
    env = await startTemporalEnv(require.resolve('./several-gates'));
    worker = await env.startWorker(taskQueue, gate.activities());
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    second = `${id}-b`;
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    // A client of its own: what an earlier test found is not remembered.
    deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 30_000 });
  });

  const start = (workflowId: string, ids: string[], attributes = true) =>
    env.client.workflow.start<typeof several>('several', { workflowId, taskQueue, args: [{ ids, attributes }] });
  const waits = (deploymentId: string, workflowId?: string): Promise<DeploymentStatus> =>
    eventually(`${deploymentId} to wait`, async () => {
      const client = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 30_000 });
      const found = await client.status(deploymentId, workflowId).catch(() => undefined);
      return found?.found === 'status' && found.status.state === 'waiting' && found.status;
    });
  const rowOf = async (workflowId: string) => {
    const rows = (await deployments.list({ limit: 100 })).filter((row) => row.workflowId === workflowId);
    expect(rows.length).toBeLessThanOrEqual(1);
    return rows[0];
  };

  it('a workflow with several gates is operated by the deployment that a call is for', async () => {
    const handle = await start(`rollout-${id}`, [id, second]);
    const { lastDecision } = await waits(id);
    const first = { ...CALL, for: lastDecision?.decisionId };
    expect(await deployments.call(id, 'override', first)).toMatchObject({ reply: { accepted: true } });

    const now = await waits(second);
    expect(now).toMatchObject({ deploymentId: second, stage: 'only' });
    const workflowId = `rollout-${id}`;
    expect(await deployments.status(id, workflowId)).toMatchObject({ status: { deploymentId: id, state: 'acting' } });
    expect(await deployments.explain(second, workflowId)).toMatchObject({ deploymentId: second, state: 'waiting' });
    const update = handle.executeUpdate('override', { args: [{ ...CALL, for: now.lastDecision?.decisionId }] });
    await expect(update).rejects.toMatchObject({
      cause: { message: `Expected deploymentId to be one of this workflow's deployments (${id}, ${second}), got none` },
    });
    expect(await deployments.call('another', 'abort', CALL, undefined, workflowId)).toEqual({
      result: 'refused',
      message: `Expected deploymentId to be one of this workflow's deployments (${id}, ${second}), got another`,
    });
    const call = { ...CALL, for: now.lastDecision?.decisionId };
    expect(await deployments.call(second, 'override', call)).toMatchObject({ reply: { accepted: true } });
    expect(await handle.result()).toBe('all their own');
    expect(await deployments.status(id, workflowId)).toMatchObject({
      closed: true,
      status: { deploymentId: id, state: 'done', stages: [{ name: 'only', state: 'done', outcome: 'override' }] },
    });
    expect(await eventually('a row that ended', async () => (await rowOf(workflowId))?.state === 'done')).toBe(true);
    expect(await rowOf(workflowId)).toMatchObject({ deploymentId: second, outcome: 'override' });
  });

  it('two open workflows of one deployment are both named, and one must be', async () => {
    const [a, b] = [await start(`a-${id}`, [id]), await start(`b-${id}`, [id])];
    await waits(id, `a-${id}`);
    await waits(id, `b-${id}`);
    await eventually('both to be listed', async () => (await rowOf(`a-${id}`)) && (await rowOf(`b-${id}`)));
    const asked = await deployments.status(id).catch((error: unknown) => error);
    expect(asked).toMatchObject({ type: 'ConfigInvalid', message: expect.stringMatching(/found 2: .*--workflow-id/) });
    expect(asked).toMatchObject({ message: expect.stringContaining(`a-${id}`) });
    expect(asked).toMatchObject({ message: expect.stringContaining(`b-${id}`) });
    expect(await deployments.call(id, 'abort', CALL, undefined, `a-${id}`)).toMatchObject({
      reply: { accepted: true },
    });
    await expect(a.result()).rejects.toMatchObject({ cause: { type: 'DeploymentAborted' } });
    await eventually('the aborted row', async () => (await rowOf(`a-${id}`))?.state === 'aborted');
    expect(await waits(id)).toMatchObject({ state: 'waiting' });
    await b.terminate();
  });

  it('a workflow without search attributes is operated by its own id', async () => {
    const handle = await start(`plain-${id}`, [id], false);
    const { lastDecision } = await waits(id, `plain-${id}`);
    expect(await deployments.status(id)).toEqual({ found: 'unknown' });
    const call = { ...CALL, for: lastDecision?.decisionId };
    expect(await deployments.call(id, 'override', call, undefined, `plain-${id}`)).toMatchObject({
      reply: { accepted: true },
    });
    expect(await handle.result()).toBe('all their own');
  });

  it('a deployment that continued as new is one row, with the time of its first start', async () => {
    const workflowId = workflowIdOf(id);
    const handle = await env.client.workflow.start<typeof deployment>('deployment', {
      workflowId,
      taskQueue,
      searchAttributes: { DeploymentId: [id] },
      args: [
        {
          spec: { id, stages: [{ name: 'canary', onDeny: 'wait', recheckEvery: '10m' }, { name: 'fleet' }] },
          historyLimit: 25,
        },
      ],
    });
    const first = await handle.describe();
    await waits(id);
    const runs = async () => (await env.client.workflow.getHandle(workflowId).describe()).runId;
    for (let n = 0; n < 30 && (await runs()) === first.runId; n += 1) await handle.signal('nothing-known');
    const { lastDecision } = await waits(id);
    await deployments.call(id, 'resume', { ...CALL, for: 'none' });
    await deployments.call(id, 'override', { ...CALL, for: lastDecision?.decisionId });
    await eventually('a second run', async () => (await runs()) !== first.runId);
    await eventually('an end', async () => (await rowOf(workflowId))?.state === 'denied');
    expect(await rowOf(workflowId)).toMatchObject({
      deploymentId: id,
      state: 'denied',
      outcome: 'deny',
      startedAt: first.startTime.toISOString(),
    });
  });
});
