import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../src/kernel/names';
import { runCli } from '../cli/run-cli';
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
  let folder: string;

  beforeAll(async () => {
    env = await startTemporalEnv(require.resolve('./several-gates'));
    folder = mkdtempSync(join(tmpdir(), 'gate-cli-'));
    const { address, namespace } = env.server;
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ temporal: { address, namespace, taskQueue } }));
    worker = await env.startWorker(taskQueue, gate.activities());
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const cli = (...args: string[]) => runCli(folder, [...args, '--settings', join(folder, 'settings.json')]);
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
    const who = ['--actor', 'ann', '--reason', 'known'];
    for (const args of [
      ['status', id],
      ['abort', id, ...who],
      ['resume', id, ...who],
    ]) {
      const { code, stderr } = await cli(...args);
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('Name it with --workflow-id'),
      });
      for (const name of [`a-${id}`, `b-${id}`]) expect(stderr).toContain(name);
    }
    expect(await cli('abort', id, ...who, '--workflow-id', `a-${id}`)).toMatchObject({ code: 0 });
    await expect(a.result()).rejects.toMatchObject({ cause: { type: 'DeploymentAborted' } });
    await eventually('the aborted row', async () => (await rowOf(`a-${id}`))?.state === 'aborted');
    expect(await waits(id)).toMatchObject({ state: 'waiting' });
    await b.terminate();
  });

  it('gate deploy refuses an id under which another open workflow awaits the gate', async () => {
    const handle = await start(`rollout-${id}`, [id]);
    await waits(id);
    const refused = await cli('deploy', '--id', id, '--stage', 'canary');
    expect(refused.code).toBe(2);
    for (const name of [`rollout-${id}`, workflowIdOf(id)]) expect(refused.stderr).toContain(name);
    await handle.terminate();
    await eventually('the closed row', async () => (await rowOf(`rollout-${id}`))?.state === 'terminated');
    gate.verdict = { outcome: 'allow' };
    expect(await cli('deploy', '--id', id, '--stage', 'canary')).toMatchObject({ code: 0 });
    const again = await cli('deploy', '--id', id, '--stage', 'another');
    expect(again.code).toBe(2);
  });

  it('a workflow without search attributes is operated by its own id', async () => {
    const handle = await start(`plain-${id}`, [id], false);
    await waits(id, `plain-${id}`);
    expect(await deployments.status(id)).toEqual({ found: 'unknown' });
    expect(await cli('status', id)).toMatchObject({ code: 2, stderr: `gate: deployment ${id} is unknown\n` });
    expect((await cli('status', id, '--workflow-id', `plain-${id}`)).code).toBe(0);
    // What is printed leads to it.
    const { stdout } = await cli('explain', id, '--workflow-id', `plain-${id}`);
    const [, args = ''] = /gate (override .*) --actor YOU/.exec(stdout) ?? [];
    expect(args).toBe(`override ${id} --workflow-id plain-${id}`);
    expect((await cli(...args.split(' '), '--actor', 'ann', '--reason', 'known')).code).toBe(0);
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
