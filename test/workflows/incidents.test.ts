import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { StageSpec } from '../../src/gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import type { Fault } from '../../src/kernel/failures';
import { workflowIdOf } from '../../src/kernel/names';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';
import { watchedDeployment } from '../support/watched-deployment';

const DOWN: Fault = { type: 'FactSourceUnavailable', message: 'the source is down', factId: 'max_pending' };
const OPERATOR = { actor: 'ann', reason: 'checked by hand' };
const http = { type: 'http', method: 'PATCH', url: 'http://127.0.0.1:2/devices' } as const;
const down = { outcome: 'error', faults: [DOWN] } as { outcome: 'error'; faults: Fault[] };
const denied = { outcome: 'deny' as const, reasons: ['too many: 3'] };

describe('the incident of a deployment', () => {
  let env: TemporalEnv;
  let worker: RunningWorker;
  let deployments: DeploymentClient;
  let gate: FakeGateActivities;
  let id: string;
  const queue = `queue-${randomUUID()}`;

  beforeAll(async () => {
    env = await startTemporalEnv();
    gate = new FakeGateActivities();
    // Each test has surroundings of its own behind the one worker.
    const names = Object.keys(gate.activities()) as (keyof ReturnType<FakeGateActivities['activities']>)[];
    const present = Object.fromEntries(
      names.map((name) => [name, (argument: never) => (gate.activities()[name] as (one: never) => unknown)(argument)]),
    );
    worker = await env.startWorker(queue, present as unknown as ReturnType<FakeGateActivities['activities']>);
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 300_000 });
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
  });
  beforeEach(() => {
    id = `d-${randomUUID()}`;
    gate = new FakeGateActivities();
  });

  const start = (...stages: StageSpec[]) => deployments.start({ id, attributes: {}, stages });
  const { status, reaches, closed } = watchedDeployment(() => ({ client: env.client, id }));
  const ended = async (): Promise<DeploymentStatus> => {
    await closed();
    return status();
  };
  const abort = () => deployments.call(id, 'abort', OPERATOR);
  const told = () => gate.alerts.map(({ status: state, name }) => `${state} ${name}`);

  it('an incident sends one alert however often its source fails and answers, and is resolved with the stage', async () => {
    gate.verdict = down;
    await start({ name: 'canary', autoResume: true, onDeny: 'wait' });
    await reaches('paused');
    const { incident } = await status();
    for (let round = 0; round < 3; round += 1) {
      gate.verdict = denied;
      await reaches('waiting');
      gate.verdict = down;
      await reaches('paused');
    }
    expect((await status()).incident).toEqual(incident);
    expect(told()).toEqual(['firing DeploymentPaused']);
    expect(gate.kinds().filter((kind) => kind === 'pause')).toHaveLength(4);
    gate.verdict = { outcome: 'allow' };
    await ended();
    expect(told()).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused']);
    expect(new Set(gate.alerts.map(({ fingerprint }) => fingerprint))).toEqual(new Set([incident?.id]));
  });

  it('an incident is resolved when the stage has stayed healthy, while the stage waits on', async () => {
    gate.stages = { ...gate.stages, resolveAfter: '1s' };
    gate.verdict = down;
    await start({ name: 'canary', autoResume: true, onDeny: 'wait' });
    await reaches('paused');
    gate.verdict = denied;
    const { incident } = await reaches('waiting');
    expect(incident?.healthySinceMs).toBeGreaterThan(incident?.startedAtMs ?? Infinity);
    await eventually('the end of the incident', () => gate.alerts.length >= 2);
    expect(told()).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused']);
    expect(gate.alerts[1]?.endsAtMs).toBeGreaterThanOrEqual((incident?.healthySinceMs ?? Infinity) + 1_000);
    expect(await status()).toMatchObject({ state: 'waiting' });
    expect(await status()).not.toHaveProperty('incident');
    await abort();
    await ended();
  });

  it('an incident that was carried into a new run keeps its fingerprint, its reminders and its end', async () => {
    gate.stages = { ...gate.stages, remindAfter: '300ms', remindAtMost: '600ms' };
    gate.verdict = down;
    const spec = { id, attributes: {}, stages: [{ name: 'canary' }] };
    await env.client.workflow.start('deployment', {
      workflowId: workflowIdOf(id),
      taskQueue: queue,
      args: [{ spec, historyLimit: 40 }],
      memo: { spec },
    });
    await reaches('paused');
    await eventually('reminders', () => gate.alerts.length >= 4);
    await abort();
    await ended();
    const pauses = gate.alerts.filter(({ name }) => name === 'DeploymentPaused');
    expect(new Set(pauses.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(pauses.map(({ reminder }) => reminder)).toEqual(pauses.map((_, index) => index));
    expect(pauses.map(({ status: state }) => state).slice(-2)).toEqual(['firing', 'resolved']);
  });

  it('an incident is resolved once a running action has been healthy for long enough', async () => {
    gate.stages = { ...gate.stages, resolveAfter: '200ms', recheckEvery: '100ms' };
    let finish = (): void => undefined;
    gate.actionGate = () => new Promise<void>((resolve) => (finish = resolve));
    gate.verdict = down;
    await start({ name: 'canary', autoResume: true, action: http });
    await reaches('paused');
    gate.verdict = { outcome: 'allow' };
    await reaches('acting');
    await eventually('the end of the incident', () => gate.alerts.length >= 2);
    expect((await status()).state).toBe('acting');
    await eventually('the action', () => gate.actions.length === 1);
    finish();
    expect(await ended()).toMatchObject({ state: 'done' });
    expect(told()).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused']);
  });

  it.each([
    ['denied', { name: 'canary' }, 'firing DeploymentDenied'],
    ['failed', { name: 'canary', action: http }, 'firing DeploymentFailed'],
  ] as const)('a deployment that is %s tells so, once', async (state, stage, alert) => {
    if (state === 'denied') gate.verdict = denied;
    gate.actionFailures = [{ mayHaveBeenSent: false, nonRetryable: true }];
    await start(stage);
    expect(await ended()).toMatchObject({ state });
    expect(told()).toEqual([alert]);
  });

  it('a deployment that is aborted during an incident resolves it, then tells its end', async () => {
    gate.verdict = down;
    await start({ name: 'canary' });
    await reaches('paused');
    await abort();
    await ended();
    expect(told()).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused', 'firing DeploymentAborted']);
    expect(gate.alerts[1]?.description).toContain('aborted by ann: checked by hand');
  });

  it('a deployment tells what the settings name, under the labels that they give', async () => {
    gate.alertRules = { on: ['aborted'], labels: { team: 'core' } };
    gate.verdict = down;
    await start({ name: 'canary' });
    await reaches('paused');
    await abort();
    await ended();
    expect(gate.alerts).toEqual([
      expect.objectContaining({
        name: 'DeploymentAborted',
        labels: { alertname: 'DeploymentAborted', deployment_id: id, stage: 'canary', severity: 'info', team: 'core' },
      }),
    ]);
  });

  it('a pause that an earlier release alerted of becomes an incident under its fingerprint', async () => {
    const { alertRules } = gate;
    gate.alertRules = undefined;
    gate.stages = { ...gate.stages, remindAfter: '10m' };
    gate.verdict = down;
    await start({ name: 'canary' });
    const { pause } = await reaches('paused');
    await eventually('an alert', () => gate.alerts.length === 1);
    expect(await status()).not.toHaveProperty('incident');
    gate.alertRules = alertRules;
    gate.verdict = { outcome: 'allow' };
    // The look that finds the recovery is followed by the defaults in force.
    await eventually('the incident', async () => (await status()).incident?.id === pause?.id);
    await abort();
    await ended();
    // The second one tells the recovery, as that release did.
    expect(told()).toEqual([
      'firing DeploymentPaused',
      'firing DeploymentPaused',
      'resolved DeploymentPaused',
      'firing DeploymentAborted',
    ]);
    const ids = gate.alerts.slice(0, 3).map(({ fingerprint }) => fingerprint);
    expect(new Set(ids)).toEqual(new Set([pause?.id]));
  });
});
