import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { createPlanActivities } from '../../src/activities/create-plan-activities';
import type { AuditRecord } from '../../src/audit/audit-record';
import { bundleOptions } from '../../src/built-workflows';
import { openPlanRuns, type OpenedPlanRuns } from '../../src/clients/plan-runs';
import type { JsonObject } from '../../src/kernel/json';
import { workflowIdOf } from '../../src/kernel/names';
import { createHttpFetch } from '../../src/platform/http/http-client';
import { quietRuntime } from '../../src/platform/temporal/quiet-runtime';
import { systemTimers } from '../../src/platform/timers/system-timers';
import { decideGate, type Verdict } from '../../src/plans/execution/decide-gate';
import type { FactFound } from '../../src/plans/execution/fact-criterion';
import type { Execution } from '../../src/plans/kinds/execution';
import type { Gate } from '../../src/plans/kinds/gate';
import { kindNamed } from '../../src/plans/kinds/kinds';
import { openPlans, type Plans } from '../../src/plans/service/open-plans';
import type { PlanStore } from '../../src/plans/store/plan-store';
import { openPlanDatabase } from '../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../src/plans/store/postgres/store';
import { parseSettings } from '../../src/settings/load-settings';
import { FakeGateActivities } from '../fakes/fake-gate-activities';
import { keptBundle } from '../support/kept-bundle';
import { eventually, startTemporalEnv, type RunningWorker, type TemporalEnv } from '../support/temporal-env';

/** Nothing listens there: tests call back by the use case. */
export const CALLBACK_URL = 'https://gate.example/plans/';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined } as never;
const request = { caller: { actor: 'ann', mayWriteStatus: () => true } };
const kind = (name: string) => kindNamed(name)!;

/** Executions in a real store with its controller, and on a real Temporal server; what tasks do is in memory. */
export function storedExecutions() {
  const taskQueue = `plan-nodes-${randomUUID()}`;
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
  /** what sources answer now, by the ids of facts */
  const facts = new Map<string, FactFound>();

  const startWorker = async () => {
    const activities = Object.fromEntries(
      Object.keys(new FakeGateActivities().activities()).map((name) => [
        name,
        (argument: never) => (gate.activities() as unknown as Record<string, (of: never) => unknown>)[name]!(argument),
      ]),
    );
    worker = await env.startWorker(taskQueue, {
      ...activities,
      ...createPlanActivities(
        () => Promise.resolve(store),
        createHttpFetch({ env: {}, folder }),
        (_target, id) => Promise.resolve(facts.get(id) ?? { fault: 'the release in force does not have it' }),
      ),
    });
  };
  const open = async () => {
    const temporal = { address: env.server.address, taskQueue };
    const loaded = {
      settings: parseSettings({ temporal, plans: { callbackUrl: CALLBACK_URL } } as never, { file: 'test' }, folder),
      baseDir: folder,
    };
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
  /** `a b<a ?c:g<a`: `?c:g` is a node c that waits for the gate g; `b~a` waits softly */
  const start = async (
    text: string,
    more: Record<string, JsonObject> = {},
    spec: JsonObject = {},
    { annotations, config = {} }: { annotations?: JsonObject; config?: JsonObject } = {},
  ) => {
    const soft: JsonObject[] = [];
    const nodes = text.split(' ').map((word): JsonObject => {
      const [first = '', ...waits] = word.split(/(?=[<~])/);
      const dependsOn = waits.filter((each) => each.startsWith('<')).map((each) => each.slice(1));
      const [id = '', gateName] = first.replace('?', '').split(':');
      const own: JsonObject = gateName === undefined ? { kind: 'Task' } : { kind: 'Gate', gateRef: { name: gateName } };
      for (const each of waits.filter((one) => one.startsWith('~')))
        soft.push({ from: each.slice(1), to: id, type: 'soft' });
      return { id, ...own, dependsOn, ...more[id] };
    });
    const rule = {
      selector: { planRef: { name: 'steps' } },
      target: { provider: 'http', config: { method: 'PUT', url: 'http://127.0.0.1:2/x', ...config } },
    };
    const plan = object('Plan', 'steps', { description: 'how', graph: { nodes, edges: soft } });
    const metadata = { ...(plan.metadata as JsonObject), ...(annotations === undefined ? {} : { annotations }) };
    await apply(
      { ...plan, metadata },
      object('Binding', 'calls', { rules: [rule] }),
      object('Execution', 'go', { planRef: { name: 'steps' }, runtimeRef: { name: 'gate' }, ...spec }),
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

  return {
    ...{ apply, object, gateObject, place, decide, start, status, phases, reach, says, handle, replayed },
    ...{ startWorker, open, close, taskQueue, log, request, facts },
    env: () => env,
    worker: () => worker,
    store: () => store,
    plans: () => plans,
    gate: () => gate,
    namespace: () => namespace,
  };
}
