import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createPlanActivities } from '../../src/activities/create-plan-activities';
import type { AuditRecord } from '../../src/audit/audit-record';
import { bundleOptions } from '../../src/built-workflows';
import { DeploymentClient } from '../../src/clients/deployment-client';
import { openPlanRuns, type OpenedPlanRuns } from '../../src/clients/plan-runs';
import type { JsonObject } from '../../src/kernel/json';
import { workflowIdOf } from '../../src/kernel/names';
import { quietRuntime } from '../../src/platform/temporal/quiet-runtime';
import { systemTimers } from '../../src/platform/timers/system-timers';
import { decideGate, type Verdict } from '../../src/plans/execution/decide-gate';
import type { Execution } from '../../src/plans/kinds/execution';
import type { Gate } from '../../src/plans/kinds/gate';
import { kindNamed } from '../../src/plans/kinds/kinds';
import type { PlanFailure } from '../../src/plans/service/plan-failure';
import { openPlans, type Plans } from '../../src/plans/service/open-plans';
import type { PlanStore } from '../../src/plans/store/plan-store';
import { openPlanDatabase } from '../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../src/plans/store/postgres/store';
import { parseSettings } from '../../src/settings/load-settings';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { keptBundle } from '../support/kept-bundle';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined } as never;
const request = { caller: { actor: 'ann', mayWriteStatus: () => true } };
const kind = (name: string) => kindNamed(name)!;

/** A real store with its controller, and a real Temporal server; what tasks do is in memory. */
describe('nodes of an execution that wait for gates', () => {
  const taskQueue = `gates-${randomUUID()}`;
  const log: AuditRecord[] = [];
  const audit = {
    record: <R extends AuditRecord>(record: R) => (log.push(record), Promise.resolve(record)),
    close: () => Promise.resolve(),
  };
  let env: TemporalEnv;
  let worker: RunningWorker;
  let gate: FakeGateActivities;
  let folder: string;
  let store: PlanStore;
  let plans: Plans;
  let runs: OpenedPlanRuns;
  let namespace: string;
  let spaces = 0;

  const startWorker = async () => {
    const activities = Object.fromEntries(
      Object.keys(new FakeGateActivities().activities()).map((name) => [
        name,
        (argument: never) => (gate.activities() as unknown as Record<string, (of: never) => unknown>)[name]!(argument),
      ]),
    );
    worker = await env.startWorker(taskQueue, {
      ...activities,
      ...createPlanActivities(() => Promise.resolve(store)),
    });
  };
  const open = async () => {
    const temporal = { address: env.server.address, taskQueue };
    const loaded = { settings: parseSettings({ temporal } as never, { file: 'test' }, folder), baseDir: folder };
    runs = openPlanRuns(loaded, {}, 10_000);
    // The store outlives the server that has it open.
    const kept = { ...store, close: () => Promise.resolve() };
    plans = await openPlans({
      ...{ store: kept, timers: systemTimers, now: Date.now, logger: quiet, audit, runtime: runs.runtime },
    });
  };
  const close = async () => {
    await plans.close();
    await runs.close();
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gate-plan-gates-'));
    store = createPostgresPlanStore(await openPlanDatabase({ folder }));
    env = await startTemporalEnv();
    gate = new FakeGateActivities();
    await startWorker();
    await open();
  });
  afterAll(async () => {
    if (plans !== undefined) await close();
    await worker?.stop();
    await env?.stop();
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    gate = new FakeGateActivities();
    namespace = `ns-${(spaces += 1)}-${randomUUID().slice(0, 8)}`;
  });

  const object = (of: string, name: string, spec: JsonObject): JsonObject => ({
    ...{ apiVersion: 'planspec.io/v1alpha1', kind: of, metadata: { name, namespace }, spec },
  });
  const apply = (...objects: JsonObject[]) => plans.service.apply(namespace, objects, request);
  const gateObject = (name: string, targetRef: JsonObject = { kind: 'Goal', name: 'ship' }) =>
    object('Gate', name, { gateType: 'approval', targetRef });
  const place = (of: string, name: string) => ({ kind: kind(of), namespace, name });
  const decide = async (name: string, verdict: Verdict, actor: string, again = false) => {
    const found = await plans.service.get(place('Gate', name));
    const timestamp = new Date().toISOString();
    const { status } = decideGate(found as unknown as Gate, verdict, { actor, timestamp, again });
    await plans.service.replaceStatus(place('Gate', name), { ...found, status: status! } as never, request);
  };
  /** `a b<a ?c:g<a`: `?c:g` is a node c that waits for the gate g */
  const start = async (text: string, more: Record<string, JsonObject> = {}) => {
    const nodes = text.split(' ').map((word): JsonObject => {
      const [first = '', ...dependsOn] = word.split('<');
      const [id = '', gateName] = first.replace('?', '').split(':');
      const own: JsonObject = gateName === undefined ? { kind: 'Task' } : { kind: 'Gate', gateRef: { name: gateName } };
      return { id, ...own, dependsOn, ...more[id] };
    });
    const rule = {
      selector: { planRef: { name: 'steps' } },
      target: { provider: 'http', config: { method: 'PUT', url: 'http://127.0.0.1:2/x' } },
    };
    await apply(
      object('Plan', 'steps', { description: 'how', graph: { nodes } }),
      object('Binding', 'calls', { rules: [rule] }),
      object('Execution', 'go', { planRef: { name: 'steps' }, runtimeRef: { name: 'gate' } }),
    );
  };
  const status = async () => ((await plans.service.get(place('Execution', 'go'))) as unknown as Execution).status!;
  const phases = async () =>
    Object.entries((await status()).nodeStatuses ?? {})
      .map(([id, { phase }]) => `${id} ${phase}`)
      .join(', ');
  const reach = (wanted: string) => eventually(wanted, async () => (await phases()) === wanted);
  const says = (node: string, text: string) =>
    eventually(`node ${node} to say ${text}`, async () =>
      ((await status()).nodeStatuses?.[node]?.message ?? '').includes(text),
    );
  const handle = () => env.client.workflow.getHandle(workflowIdOf(`${namespace}.go`));
  const replayed = async () => {
    quietRuntime({ Runtime, DefaultLogger });
    const workflowBundle = await keptBundle(bundleOptions(false));
    await Worker.runReplayHistory({ workflowBundle }, await handle().fetchHistory(), workflowIdOf(`${namespace}.go`));
  };

  it('one of two waiting gates is approved alone, and the record of the node says who approved', async () => {
    await apply(gateObject('one'), gateObject('two'));
    await start('?a:one ?b:two c<a d<b');
    await reach('a Blocked, b Blocked, c Pending, d Pending');
    expect((await status()).phase).toBe('Blocked');
    await says('a', 'waits for gate one, which is Pending');
    await decide('one', 'approved', 'amy');
    await reach('a Succeeded, b Blocked, c Succeeded, d Pending');
    await decide('two', 'approved', 'ben');
    expect(await handle().result()).toMatchObject({ state: 'done' });
    await eventually('the end', async () => (await status()).phase === 'Succeeded');
    expect((await status()).nodeStatuses?.a).toMatchObject({
      message: 'gate one was approved by amy',
      outputs: { approvers: ['amy'] },
    });
    const passed = await eventually('the records', () => {
      const found = log.filter((each) => 'subject' in each && each.subject === `execution/${namespace}/go`);
      return Promise.resolve(found.length === 3 && found);
    });
    expect(passed).toMatchObject([
      { kind: 'created', actor: 'ann' },
      { kind: 'resolved', part: 'a', actor: 'amy', details: { gate: 'one', outcome: 'approved' } },
      { kind: 'resolved', part: 'b', actor: 'ben' },
    ]);
    await replayed();
  });

  it('a rejection fails the node, what depends on it is skipped, and a gate behind it does not start', async () => {
    await apply(gateObject('one'), gateObject('two'));
    await start('?a:one ?b:two<a c<b d');
    await reach('a Blocked, b Pending, c Pending, d Succeeded');
    await decide('one', 'rejected', 'amy');
    await reach('a Failed, b Skipped, c Skipped, d Succeeded');
    await eventually('the end', async () => (await status()).phase === 'Failed');
    expect((await status()).message).toBe('node a: gate one was rejected by amy');
    await replayed();
  });

  it('an approval from before the node waited counts only for a gate of this plan, and is given once more otherwise', async () => {
    await apply(gateObject('any'), gateObject('own', { kind: 'Plan', name: 'steps' }));
    await decide('any', 'approved', 'amy');
    await decide('own', 'approved', 'amy');
    await start('?a:any ?b:own');
    await reach('a Blocked, b Succeeded');
    await says('a', 'before this node began to wait');
    await decide('any', 'approved', 'amy', true);
    await reach('a Succeeded, b Succeeded');
  });

  it('a gate that comes later is waited for, and one whose time is over fails', async () => {
    await start('?a:late ?b:never', { b: { timeout: '1s' } });
    await says('a', 'waits for gate late, which does not exist');
    await reach('a Blocked, b Failed');
    await says('b', 'timed out after 1s');
    await apply(gateObject('late', { kind: 'Execution', name: 'go' }));
    await says('a', 'which is Pending');
    await decide('late', 'approved', 'amy');
    await reach('a Succeeded, b Failed');
    await replayed();
  });

  it('what is approved while server and worker are down is seen by the next ones', async () => {
    await apply(gateObject('one'));
    await start('?a:one b<a');
    await reach('a Blocked, b Pending');
    await close();
    await worker.stop();
    const found = (await store.get({ kind: 'Gate', namespace, name: 'one' })) as unknown as Gate;
    const { status: approved } = decideGate(found, 'approved', { actor: 'amy', timestamp: new Date().toISOString() });
    await store.write((session) => session.update({ ...found, status: approved! } as never, found as never));
    await startWorker();
    await open();
    await reach('a Succeeded, b Succeeded');
    await replayed();
  });

  it('an execution that is aborted does not wait any more', async () => {
    await apply(gateObject('one'));
    await start('?a:one b<a');
    await reach('a Blocked, b Pending');
    const deployments = new DeploymentClient({ client: env.client, taskQueue, deadlineMs: 30_000 });
    const call = { actor: 'ann', reason: 'not needed' };
    expect(await deployments.call(`${namespace}.go`, 'abort', call)).toMatchObject({ reply: { accepted: true } });
    await reach('a Cancelled, b Skipped');
    expect((await status()).phase).toBe('Cancelled');
    await replayed();
  });

  it('a gate of another namespace and what a gate cannot have are refused when the execution is created', async () => {
    const more = { a: { gateRef: { name: 'one', namespace: 'other' }, timeout: '0s', when: 'true' } };
    const faults = await start('?a:one', more).catch((error: unknown) => JSON.stringify((error as PlanFailure).body));
    expect(faults).toMatch(/when is not supported.*namespace.*one of other.*more than 0s and at most 8784h, got 0s/);
  });
});
