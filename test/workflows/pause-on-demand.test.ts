import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { StageSpec } from '../../src/gate/deployments/deployment-spec';
import { pauseSignal } from '../../src/workflows/messages';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const ANN = { actor: 'ann', reason: 'maintenance' };
const BOB = { actor: 'bob', reason: 'it is over' };
const url = 'http://127.0.0.1:2/devices';
const acts = { action: { type: 'http', method: 'PATCH', url, compensation: { method: 'DELETE', url } } } as const;

describe('a pause on demand', () => {
  const gate = new FakeGateActivities();
  const taskQueue = `pauses-${randomUUID()}`;
  let env: TemporalEnv;
  let worker: RunningWorker;
  let deployments: DeploymentClient;
  let id: string;

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
    deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 30_000 });
    gate.verdict = { outcome: 'allow' };
    gate.collectGate = gate.actionGate = undefined;
    gate.storeDown = false;
    gate.recordAttempts = 0;
    for (const list of [gate.collected, gate.actions, gate.compensations, gate.alerts]) list.length = 0;
    gate.records.clear();
  });

  const { handle, status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const start = (...stages: StageSpec[]) => deployments.start({ id, stages });
  const pause = (duration?: string, updateId?: string) =>
    deployments.call(id, 'pause', { ...ANN, ...(duration === undefined ? {} : { duration }) }, updateId);
  const resume = async () => deployments.call(id, 'resume', { ...BOB, for: (await status()).hold?.id });
  const told = () => gate.alerts.map((alert) => `${alert.status} ${alert.stage} ${alert.pauseReason ?? '-'}`);
  /** resolves what waits in `gate`, when called */
  const held = () => {
    let open = (): void => undefined;
    const waits = new Promise<void>((resolve) => (open = resolve));
    return { open: () => open(), waits: () => waits };
  };

  it('a pause stops a stage whose source hangs at once, and a resume asks again', async () => {
    const collecting = held();
    gate.collectGate = collecting.waits;
    await start({ name: 'canary', ...acts });
    await eventually('a collection', () => gate.collected.length === 1);
    expect(await pause()).toMatchObject({ reply: { kind: 'pause', accepted: true, state: 'paused' } });
    expect(await status()).toMatchObject({ state: 'paused', hold: { actor: 'ann', reason: 'maintenance' } });
    gate.collectGate = undefined;
    collecting.open();
    await eventually('the alert', () => gate.alerts.length > 0);
    expect(await resume()).toMatchObject({ reply: { kind: 'resume', accepted: true } });
    await closed();
    expect(gate.collected.map(({ bypassCache }) => bypassCache)).toEqual([false, true]);
    expect(gate.kinds()).toEqual(['pause', 'resume', 'resolved', 'decision:allow', 'acted', 'ended']);
    const [begun, , ended] = [...gate.records.values()];
    expect(begun).toMatchObject({ actor: 'ann', reason: 'maintenance', details: { pausedOn: 'PausedByOperator' } });
    expect(ended).toMatchObject({ actor: 'gate', reason: 'resumed by bob', refersTo: begun?.decisionID });
    await eventually('both messages', () => gate.alerts.length === 2);
    expect(told()).toEqual(['firing canary PausedByOperator', 'resolved canary -']);
  });

  it('a pass that was given is decided again, when the pause comes before the action has begun', async () => {
    gate.storeDown = true;
    await start({ name: 'canary', ...acts });
    await eventually('a decision that waits for its record', () => gate.recordAttempts > 0);
    const answer = pause();
    await eventually('the pause', async () => (await status()).hold);
    gate.storeDown = false;
    expect(await answer).toMatchObject({ reply: { accepted: true } });
    await eventually('the allow', () => gate.kinds().includes('decision:allow'));
    await eventually('the end of the outage', async () => (await status()).pause === undefined);
    expect([(await status()).state, gate.actions.length]).toEqual(['paused', 0]);
    expect(await resume()).toMatchObject({ result: 'answered' });
    await closed();
    expect(gate.kinds().filter((kind) => kind === 'decision:allow')).toHaveLength(2);
    expect(gate.actions).toHaveLength(1);
  });

  it('a pause cancels no action under way: it begins after it, and the next stage is not decided', async () => {
    const acting = held();
    gate.actionGate = acting.waits;
    await start({ name: 'canary', ...acts }, { name: 'fleet' });
    await reaches('acting');
    expect(await pause()).toMatchObject({ reply: { accepted: true, state: 'acting' } });
    expect(await status()).toMatchObject({ state: 'acting', hold: { afterAction: true } });
    expect(gate.alerts).toEqual([]);
    acting.open();
    const now = await reaches('paused');
    expect([now.stage, now.stages[0]?.state, now.hold?.afterAction]).toEqual(['fleet', 'done', undefined]);
    expect([gate.collected.length, gate.compensations.length]).toEqual([1, 0]);
    await eventually('the alert', () => gate.alerts.length > 0);
    expect(told()).toEqual(['firing fleet PausedByOperator']);
    await resume();
    await closed();
    expect((await status()).state).toBe('done');
  });

  it('a pause that is resumed while the action still runs is over at once', async () => {
    const acting = held();
    gate.actionGate = acting.waits;
    await start({ name: 'canary', ...acts }, { name: 'fleet' });
    await reaches('acting');
    await pause();
    expect(await resume()).toMatchObject({ reply: { accepted: true, state: 'acting' } });
    acting.open();
    await closed();
    expect(gate.kinds().slice(0, 4)).toEqual(['decision:allow', 'pause', 'resume', 'resolved']);
    expect(gate.alerts).toEqual([]);
  });

  it('the time of a pause counts from its acceptance, and the deployment is then asked again by itself', async () => {
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    await start({ name: 'canary', onDeny: 'wait' });
    await reaches('waiting');
    await pause('1s');
    const { hold } = await status();
    expect((hold?.untilMs ?? 0) - (hold?.startedAtMs ?? 0)).toBe(1000);
    gate.verdict = { outcome: 'allow' };
    await closed();
    const ended = [...gate.records.values()].find(({ kind }) => kind === 'resolved');
    expect(ended).toMatchObject({ reason: 'its time is over', refersTo: hold?.id });
    expect(Date.parse(ended?.timestamp ?? '')).toBeGreaterThanOrEqual(hold?.untilMs ?? Infinity);
  });

  it('a pause stands beside an error pause and before it: autoResume does not end it, a resume ends both', async () => {
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'old' }] };
    await start({ name: 'canary', autoResume: true });
    await reaches('paused');
    await eventually('the alert', () => gate.alerts.length === 1);
    await pause();
    gate.verdict = { outcome: 'allow' };
    const looks = gate.looks.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    const now = await status();
    expect([now.state, now.pause?.reason, now.hold?.actor]).toEqual(['paused', 'FactStale', 'ann']);
    expect(gate.looks.length).toBeLessThanOrEqual(looks + 1);
    const explained = await deployments.explain(id);
    expect(explained?.summary).toContain('paused by ann: maintenance; beside it, paused on FactStale');
    expect(explained?.why[0]).toBe('Paused by ann: maintenance');
    const rows = await eventually('the list', async () => {
      const [row] = (await deployments.list({ limit: 100, pausedOnly: true })).filter((one) => one.deploymentId === id);
      return row?.pauseReason === 'PausedByOperator' && row;
    });
    expect(rows.state).toBe('paused');
    expect(await deployments.call(id, 'resume', { ...BOB, for: now.pause?.id })).toMatchObject({ result: 'refused' });
    expect(await deployments.call(id, 'override', { ...BOB, for: now.lastDecision?.decisionId })).toMatchObject({
      result: 'refused',
      message: expect.stringContaining(`resume pause ${now.hold?.id} first`),
    });
    await resume();
    await closed();
    expect(gate.kinds().filter((kind) => kind === 'resolved')).toHaveLength(2);
    await eventually('the end of the one incident', () => gate.alerts.length === 2);
    expect(told()).toEqual(['firing canary FactStale', 'resolved canary -']);
  });

  it('another pause takes the place of the first, and the same call is answered the same', async () => {
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    await start({ name: 'canary', onDeny: 'wait' });
    await reaches('waiting');
    await pause('1h');
    const { hold: first } = await status();
    const updateId = randomUUID();
    const answer = await pause(undefined, updateId);
    expect(await pause(undefined, updateId)).toEqual(answer);
    const { hold: second } = await status();
    expect([second?.untilMs, second?.id === first?.id]).toEqual([undefined, false]);
    expect(await deployments.call(id, 'resume', { ...BOB, for: first?.id })).toMatchObject({ result: 'refused' });
    const ended = [...gate.records.values()].filter(({ kind }) => kind === 'resolved');
    expect(ended).toMatchObject([{ refersTo: first?.id, reason: 'replaced by a pause of ann' }]);
    expect(await deployments.call(id, 'abort', BOB)).toMatchObject({ reply: { accepted: true, state: 'aborted' } });
    await closed();
    expect(gate.kinds().slice(-4)).toEqual(['pause', 'abort', 'resolved', 'ended']);
    expect(await pause()).toMatchObject({
      result: 'refused',
      hasEnded: true,
      message: expect.stringMatching(/is aborted .* nothing to pause: gate status/),
    });
  });

  it('a pause outlives continue-as-new and every worker, and no earlier release takes it over', async () => {
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    const spec = { id, stages: [{ name: 'canary', onDeny: 'wait' as const }] };
    const { workflowId } = handle();
    await env.client.workflow.start('deployment', { workflowId, taskQueue, args: [{ spec, historyLimit: 20 }] });
    await reaches('waiting');
    const updateId = randomUUID();
    const first = await pause(undefined, updateId);
    const { runId } = await handle().describe();
    // Each call lets the history grow.
    for (let call = 0; call < 3; call += 1) await pause();
    await eventually('another run', async () => (await handle().describe()).runId !== runId);
    await worker.stop();
    worker = await env.startWorker(taskQueue, gate.activities());
    expect((await status()).hold).toMatchObject({ actor: 'ann' });
    expect(await pause(undefined, updateId)).toEqual(first);
    const { events } = await handle().fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const { carried } = JSON.parse(Buffer.from(payload?.data ?? []).toString()) as { carried: { version: number } };
    expect(carried.version).toBe(2);
    gate.verdict = { outcome: 'allow' };
    await resume();
    await closed();
    expect((await status()).state).toBe('done');
  });

  it('a pause that arrives before the first workflow task keeps the first stage from being decided', async () => {
    await worker.stop();
    await start({ name: 'canary' });
    await handle().signal(pauseSignal, ANN);
    worker = await env.startWorker(taskQueue, gate.activities());
    await reaches('paused');
    expect(gate.collected).toEqual([]);
    await resume();
    await closed();
  });

  it('a signal pauses too, and one that is no pause is noted', async () => {
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    await start({ name: 'canary', onDeny: 'wait' });
    await reaches('waiting');
    await handle().signal(pauseSignal, { ...ANN, duration: 'soon' });
    await handle().signal(pauseSignal, { ...ANN, duration: '2h' });
    await reaches('paused');
    const explained = await deployments.explain(id);
    expect(explained?.notes).toEqual([
      'Signal pause not accepted: Expected duration to be such as 45s or 2h, got "soon"',
    ]);
    await handle().terminate();
  });

  it.each([
    ['fail', 'failed', 'PauseTimedOut'],
    ['abort', 'aborted', 'DeploymentAborted'],
  ] as const)('an error pause that lasts for pauseTimeout ends after a last decision: %s', async (end, state, type) => {
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'old' }] };
    await start({ name: 'canary', recheckEvery: '10m', pauseTimeout: '1s', onPauseTimeout: end, ...acts });
    await expect(handle().result()).rejects.toMatchObject({ cause: { type } });
    const now = await status();
    expect([now.state, now.endReason]).toEqual([state, 'paused for 1s (pauseTimeout): FactStale: old']);
    expect(gate.kinds()).toEqual(['decision:error', 'pause', 'decision:error', 'resolved', 'ended']);
    expect(gate.collected.map(({ bypassCache }) => bypassCache)).toEqual([false, true]);
  });

  it('an error pause whose last decision allows ends by itself with autoResume', async () => {
    gate.verdict = { outcome: 'error', faults: [{ type: 'FactStale', message: 'old' }] };
    await start({ name: 'canary', recheckEvery: '10m', pauseTimeout: '3s', autoResume: true });
    await reaches('paused');
    gate.verdict = { outcome: 'allow' };
    await closed();
    expect((await status()).state).toBe('done');
  });

  describe('workers that die in the action', () => {
    beforeEach(() => {
      gate.actionTimeout = '2m';
    });
    const loses = async (attempts: number, over: Partial<StageSpec> = {}): Promise<void> => {
      gate.actionTimeout = '4s';
      gate.actionsLost = attempts;
      await start({ name: 'canary', ...acts, ...over });
    };

    it('five attempts that are lost with their worker pause the deployment, and a resume tries the action again', async () => {
      await loses(5);
      const { pause: begun, state } = await reaches('paused');
      expect(begun?.faults[0]).toMatchObject({
        type: 'ActionFailed',
        message: expect.stringContaining('the action http of stage canary, but workers die or hang'),
      });
      const override = { ...BOB, for: (await status()).lastDecision?.decisionId };
      expect(await deployments.call(id, 'override', override)).toMatchObject({ result: 'refused' });
      expect(await deployments.call(id, 'resume', { ...BOB, for: begun?.id })).toMatchObject({
        reply: { accepted: true, message: 'Resumed: the action is tried again, under the same idempotency key' },
      });
      await closed();
      expect([state, (await status()).state]).toEqual(['paused', 'done']);
      expect(new Set(gate.actions.map(({ idempotencyKey }) => idempotencyKey))).toEqual(new Set([`${id}/canary`]));
      expect(gate.kinds()).toEqual(['decision:allow', 'pause', 'resume', 'resolved', 'acted', 'ended']);
      const acted = [...gate.records.values()].find(({ kind }) => kind === 'acted');
      expect(acted?.details).toMatchObject({ result: 'done', attempts: 6, compensation: 'none' });
    });

    it('an abort of such a pause takes the action back, also after continue-as-new', async () => {
      gate.actionTimeout = '4s';
      gate.actionsLost = 5;
      const spec = { id, stages: [{ name: 'canary', ...acts }] };
      await env.client.workflow.start('deployment', {
        workflowId: handle().workflowId,
        taskQueue,
        args: [{ spec, historyLimit: 30 }],
      });
      const first = (await handle().describe()).runId;
      await reaches('paused');
      await eventually('another run', async () => (await handle().describe()).runId !== first);
      expect(await deployments.call(id, 'abort', BOB)).toMatchObject({ reply: { accepted: true, state: 'aborted' } });
      await closed();
      expect(gate.compensations).toEqual([`${id}/canary`]);
      expect((await status()).endReason).toBe('aborted by bob: it is over (compensated)');
      expect(gate.actions).toHaveLength(5);
    });

    it('such a pause that lasts for pauseTimeout ends the deployment, and takes the action back', async () => {
      await loses(5, { pauseTimeout: '1s' });
      await closed();
      const now = await status();
      expect([now.state, gate.compensations]).toEqual(['failed', [`${id}/canary`]]);
      expect(now.endReason).toContain('paused for 1s (pauseTimeout): ActionFailed');
    });
  });

  it('a workflow of your own that awaits the gate is paused by the same call', async () => {
    gate.verdict = { outcome: 'deny', reasons: ['too many: 3'] };
    const workflowId = `rollout-${id}`;
    await env.client.workflow.start('several', { workflowId, taskQueue, args: [{ ids: [id], attributes: true }] });
    const found = () => deployments.status(id, workflowId);
    const state = async () => {
      const now = await found().catch(() => undefined);
      return now?.found === 'status' ? now.status : undefined;
    };
    await eventually('the wait', async () => (await state())?.state === 'waiting');
    const call = (kind: 'pause' | 'resume', target?: string) =>
      deployments.call(id, kind, { ...ANN, ...(target ? { for: target } : {}) }, undefined, workflowId);
    expect(await call('pause')).toMatchObject({ reply: { accepted: true, state: 'paused' } });
    gate.verdict = { outcome: 'allow' };
    expect(await call('resume', (await state())?.hold?.id)).toMatchObject({ reply: { accepted: true } });
    await env.client.workflow.getHandle(workflowId).result();
  });
});
