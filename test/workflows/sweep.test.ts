import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createSweepActivities } from '../../src/activities/create-sweep-activities';
import type { AuditQuery, AuditRecord, GateRecord } from '../../src/audit/audit-record';
import { DeploymentClient } from '../../src/clients/deployment-client';
import type { DeploymentSpec } from '../../src/gate/deployments/deployment-spec';
import { createMetrics } from '../../src/gate/metrics';
import type { Services } from '../../src/gate/services';
import { SWEEP_WORKFLOW_ID, workflowIdOf } from '../../src/kernel/names';
import type { Fault } from '../../src/kernel/failures';
import type { sweep } from '../../src/workflows/sweep';
import { sweepFinding } from '../../src/clients/doctor/sweep';
import { keepSweep } from '../../src/platform/temporal/keeping/keep-sweep';
import { setupSearchAttributes } from '../../src/clients/search-attribute-setup';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';

const STALE: Fault = { type: 'FactStale', message: 'too old', factId: 'max_pending' };

describe('the sweep of terminated and timed-out runs', () => {
  const gate = new FakeGateActivities();
  const queue = `sweep-${randomUUID()}`;
  let env: TemporalEnv;
  let worker: RunningWorker;
  let deployments: DeploymentClient;
  let id: string;

  /** Over the records and alerts of the fake gate: what of the services the sweep uses. */
  const services = {
    audit: { record: (record: AuditRecord) => gate.activities().recordDecision(record) },
    store: {
      list: async ({ deploymentID, kind }: AuditQuery) =>
        recordsOf(deploymentID).filter((record) => kind === undefined || record.kind === kind),
    },
    alerts: { send: (alert: Parameters<Services['alerts']['send']>[0]) => gate.activities().sendAlert(alert) },
    metrics: createMetrics(new Registry()),
  } as unknown as Services;
  const recordsOf = (deploymentId = id): GateRecord[] =>
    ([...gate.records.values()] as GateRecord[]).filter(({ deploymentID }) => deploymentID === deploymentId).reverse();
  const endsOf = (): GateRecord[] => recordsOf().filter(({ kind }) => kind === 'ended');
  const alertsOf = () => gate.alerts.filter(({ deploymentId }) => deploymentId === id);
  const handle = () => env.client.workflow.getHandle(workflowIdOf(id));
  const stateOf = async (): Promise<string | undefined> => {
    const found = await deployments.status(id);
    return found.found === 'status' ? found.status.state : undefined;
  };
  const paused = async (): Promise<void> => {
    gate.verdict = { outcome: 'error', faults: [STALE] };
    const spec: DeploymentSpec = { id, stages: [{ name: 'canary' }, { name: 'fleet' }] };
    await deployments.start(spec);
    await eventually('a pause', async () => (await stateOf()) === 'paused' && alertsOf().length === 1);
  };
  const startSweep = (): Promise<unknown> =>
    env.client.workflow.start<typeof sweep>('sweep', {
      workflowId: SWEEP_WORKFLOW_ID,
      taskQueue: queue,
      args: [{ everyMs: 200 }],
    });

  beforeAll(async () => {
    env = await startTemporalEnv();
    await setupSearchAttributes(env.client.connection as never, 'default');
    worker = await env.startWorker(queue, { ...gate.activities(), ...createSweepActivities(services) });
    await startSweep();
  });
  afterAll(async () => {
    await worker?.stop();
    await env?.stop();
  });
  beforeEach(() => {
    id = `swept-${randomUUID()}`;
    gate.alertsDown = false;
    gate.storeDown = false;
    deployments = new DeploymentClient({ client: env.client, taskQueue: queue, deadlineMs: 30_000 });
  });

  it('a terminated deployment gets its resolved message and the record of its end, each once', async () => {
    await paused();
    await handle().terminate('wrong cluster');
    const [end] = await eventually('the end', async () => endsOf().length > 0 && endsOf());
    const { runId } = await handle().describe();
    expect(end).toMatchObject({
      stage: 'canary',
      actor: 'temporal',
      reason: 'terminated in Temporal by test-client: wrong cluster',
      runID: runId,
      details: { end: 'terminated', stages: { canary: 'paused', fleet: 'pending' } },
    });
    const [firing, resolved] = alertsOf();
    expect(resolved).toMatchObject({ status: 'resolved', fingerprint: firing?.fingerprint });
    expect(resolved?.summary).toContain('terminated in Temporal by test-client: wrong cluster');
    expect(await stateOf()).toBe('terminated');

    await env.client.workflow.getHandle(SWEEP_WORKFLOW_ID).terminate('to begin again with the day before');
    await startSweep();
    const before = id;
    id = `swept-${randomUUID()}`;
    await paused();
    await handle().terminate();
    await eventually('the end of a later one', async () => endsOf().length > 0);
    expect(recordsOf(before).filter(({ kind }) => kind === 'ended')).toHaveLength(1);
    const told = gate.alerts.filter(({ deploymentId }) => deploymentId === before);
    expect(told.map(({ status, name }) => `${status} ${name}`)).toEqual([
      'firing DeploymentPaused',
      'resolved DeploymentPaused',
      'firing DeploymentTerminated',
    ]);
  });

  it('a deployment that timed out in Temporal is recorded as timed-out', async () => {
    gate.verdict = { outcome: 'error', faults: [STALE] };
    const spec: DeploymentSpec = { id, stages: [{ name: 'canary' }] };
    await env.client.workflow.start('deployment', {
      workflowId: workflowIdOf(id),
      taskQueue: queue,
      args: [{ spec }],
      searchAttributes: { DeploymentId: [id] },
      workflowRunTimeout: '2s',
    });
    const [end] = await eventually('the end', async () => endsOf().length > 0 && endsOf());
    expect(end?.details).toEqual({ end: 'timed-out', stages: { canary: 'paused' } });
    expect(await stateOf()).toBe('timed-out');
  });

  it('a run that was reset has a newer one, and is not recorded as an end', async () => {
    await paused();
    const { runId } = await handle().describe();
    await env.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: workflowIdOf(id), runId },
      reason: 'to try again',
      workflowTaskFinishEventId: 4 as never,
      requestId: randomUUID(),
    });
    const reset = id;
    id = `swept-${randomUUID()}`;
    await paused();
    await handle().terminate();
    await eventually('the end of a later one', async () => endsOf().length > 0);
    expect(recordsOf(reset).filter(({ kind }) => kind === 'ended')).toEqual([]);
    await env.client.workflow.getHandle(workflowIdOf(reset)).terminate();
  });

  it('a receiver that is down holds up the record of an end for three attempts only', async () => {
    await paused();
    gate.alertsDown = true;
    await handle().terminate();
    await eventually('the end', async () => endsOf().length > 0);
    expect(alertsOf()).toHaveLength(1);
  });

  it('a sweep whose task queue has no worker is told by the doctor, and taken over by another worker', async () => {
    const sweeping = env.client.workflow.getHandle(SWEEP_WORKFLOW_ID);
    await sweeping.terminate();
    expect(await sweepFinding(env.client, 'default')).toMatchObject({ state: 'note', what: 'sweep' });
    const options = { workflowId: SWEEP_WORKFLOW_ID, taskQueue: 'no-one-here' };
    await env.client.workflow.start<typeof sweep>('sweep', options);
    expect((await sweepFinding(env.client, 'default')).found).toMatch('no-one-here, which no worker polls');
    const seen: string[] = [];
    const keeping = keepSweep(env.client, {
      ...{ namespace: 'default', taskQueue: queue, onFound: ({ state }) => void seen.push(state) },
    });
    await eventually('the new sweep', async () => (await sweeping.describe()).taskQueue === queue);
    await keeping.stop();
    expect(seen).toEqual(['unattended']);
    expect(await sweepFinding(env.client, 'default')).toEqual({
      ...{ state: 'ok', what: 'sweep', found: `gate/sweep on task queue ${queue}` },
    });
  });
});
