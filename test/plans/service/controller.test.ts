import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import type { JsonObject } from '../../../src/kernel/json';
import { kindNamed } from '../../../src/plans/kinds/kinds';
import { resolve } from '../../../src/plans/resolver/resolve';
import { openPlans, type Plans } from '../../../src/plans/service/open-plans';
import { createPlanMetrics } from '../../../src/plans/service/plan-metrics';
import type { PlanStore } from '../../../src/plans/store/plan-store';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { systemTimers } from '../../../src/platform/timers/system-timers';
import { eventually } from '../../support/eventually';

const API = 'planspec.io/v1alpha1';
const request = { caller: { mayWriteStatus: () => true } };
const registry = new Registry();
const said: { text: string; fields: object }[] = [];
const tell = (fields: object, text: string) => void said.push({ text, fields });
const logger = { info: tell, warn: tell, error: tell, debug: () => undefined } as never;

let folder: string;
let store: PlanStore;
let plans: Plans;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-plan-controller-'));
  store = createPostgresPlanStore(await openPlanDatabase({ folder }));
  plans = await openPlans({ store, timers: systemTimers, now: Date.now, logger, metrics: createPlanMetrics(registry) });
});
afterAll(async () => {
  await plans?.close();
  await rm(folder, { recursive: true, force: true });
});

const kind = (name: string) => kindNamed(name)!;
const object = (of: string, name: string, spec: JsonObject, more: JsonObject = {}): JsonObject => ({
  apiVersion: API,
  kind: of,
  metadata: { name, namespace: 'any' },
  spec,
  ...more,
});
const goal = (name: string) => object('Goal', name, { description: 'ship' });
const plan = (name: string, of: string, version: string) =>
  object('Plan', name, {
    description: 'how',
    goalRef: { name: of },
    series: 's',
    version,
    graph: { nodes: [{ id: 'build', kind: 'Task' }] },
  });
const capability = (name: string) => object('Capability', name, { description: 'can' });
const binding = (name: string, ...capabilities: string[]) =>
  object('Binding', name, {
    rules: capabilities.map((each) => ({ selector: { capabilityRef: { name: each } }, target: { provider: 'http' } })),
  });

const create = (namespace: string, body: JsonObject) =>
  plans.service.create({ kind: kind(body.kind as string), namespace }, body, request);
const get = (of: string, namespace: string, name: string) => plans.service.get({ kind: kind(of), namespace, name });
const bindingIs = (namespace: string, name: string, wanted: JsonObject) =>
  eventually(`binding ${name} to be ${JSON.stringify(wanted)}`, async () => {
    const { status } = await get('Binding', namespace, name);
    expect(status).toMatchObject(wanted);
    return true;
  });
const metric = async (line: RegExp) => Number(line.exec(await registry.metrics())?.[1]);

describe('the controller', () => {
  it('tells of a binding which of its capabilities can be had, as they come and go', async () => {
    await create('bind', binding('tools', 'build', 'deploy', 'build'));
    const none = { phase: 'Unresolved', totalCount: 2, boundCount: 0, unboundCapabilities: ['build', 'deploy'] };
    await bindingIs('bind', 'tools', { ...none, observedGeneration: 1 });
    await create('bind', capability('build'));
    await bindingIs('bind', 'tools', { phase: 'PartiallyBound', boundCount: 1, unboundCapabilities: ['deploy'] });
    await create('bind', capability('deploy'));
    await bindingIs('bind', 'tools', { phase: 'Ready', totalCount: 2, boundCount: 2, unboundCapabilities: [] });
    const { status, metadata } = await get('Capability', 'bind', 'build');
    const off = { status: { ...status, phase: 'Unavailable' } };
    await plans.service.replaceStatus({ kind: kind('Capability'), ...metadata }, off, request);
    await bindingIs('bind', 'tools', { phase: 'PartiallyBound', unboundCapabilities: ['build'] });
    await plans.service.delete({ kind: kind('Capability'), namespace: 'bind', name: 'deploy' }, request);
    await bindingIs('bind', 'tools', none);
  });

  it('writes nothing when nothing changed', async () => {
    await create('quiet', capability('build'));
    await create('quiet', binding('tools', 'build'));
    await create('quiet', goal('ship'));
    await create('quiet', plan('one', 'ship', '1'));
    await bindingIs('quiet', 'tools', { phase: 'Ready' });
    await eventually('the goal to have its plan', async () =>
      Boolean((await get('Goal', 'quiet', 'ship')).status?.activePlanRef),
    );
    await plans.controller.settled();
    const before = await store.revision();
    // The same objects again, and a second controller that reads all, ask for a look at each.
    const second = await openPlans({
      store: { ...store, close: () => Promise.resolve() },
      timers: systemTimers,
      now: Date.now,
      logger,
    });
    await second.controller.settled();
    await second.close();
    await plans.service.apply('quiet', [goal('ship'), plan('one', 'ship', '1')], request);
    await plans.controller.settled();
    expect(await store.revision()).toBe(before);
  });

  it('ends with what resolve says of every goal, whatever many writers do at once', async () => {
    const names = ['a', 'b', 'c'];
    await plans.service.apply('storm', names.map(goal), request);
    const write = async (writer: number): Promise<void> => {
      for (let turn = 0; turn < 12; turn += 1) {
        const of = names[(writer + turn) % names.length]!;
        const name = `plan-${(writer * 7 + turn) % 9}`;
        const gone = turn % 5 === 4;
        await (gone
          ? plans.service.delete({ kind: kind('Plan'), namespace: 'storm', name }, request).catch(() => undefined)
          : plans.service.apply('storm', [plan(name, of, `${writer}.${turn}`)], request));
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map(write));
    const list = async (of: string) =>
      (await plans.service.list({ kind: kind(of), filter: { namespace: 'storm' } })).items;
    await eventually('every goal to have the status that resolve wants', async () => {
      const all = (await list('Plan')) as never[];
      const goals = (await list('Goal')) as never[];
      return goals.every((each) => !resolve(each, all, { nowMs: Date.now() }).changed);
    });
  });

  it('counts resolutions and watches, and logs the plan of a goal', async () => {
    const found = /gate_plans_resolutions_total\{result="PlanFound"\} (\d+)/;
    const before = (await metric(found)) || 0;
    await create('count', goal('ship'));
    await create('count', plan('one', 'ship', '1'));
    await eventually('the resolution to be counted', async () => (await metric(found)) > before);
    expect(said).toContainEqual({
      text: 'Resolved plan for goal',
      fields: { goal: 'ship', namespace: 'count', plan: 'one' },
    });
    const counted = async () => (await metric(/gate_plans_status_seconds_count (\d+)/)) > 0;
    await eventually('the time to the status to be counted', counted);
    await plans.controller.settled();
    expect(await metric(/gate_plans_queue (\d+)/)).toBe(0);
    const ending = new AbortController();
    const query = { kind: 'Goal', filter: { namespace: 'count' }, list: true, idleMs: 60_000 };
    for await (const { step } of plans.service.watch(query, ending.signal)) {
      if (step !== 'listed') continue;
      expect(await metric(/gate_plans_watchers (\d+)/)).toBe(1);
      ending.abort();
    }
    expect(await metric(/gate_plans_watchers (\d+)/)).toBe(0);
  });

  it('counts the time to a status from the commit of the change, not from when it heard of it', async () => {
    const own = new Registry();
    const place = await mkdtemp(join(tmpdir(), 'gate-plan-late-'));
    const slow = createPostgresPlanStore(await openPlanDatabase({ folder: place }));
    const HELD_MS = 1_000;
    let heldUntil = 0;
    const late = await openPlans({
      store: {
        ...slow,
        async eventsAfter(revision, limit) {
          await eventually('the events to be let through', () => Date.now() >= heldUntil);
          return slow.eventsAfter(revision, limit);
        },
      },
      timers: systemTimers,
      now: Date.now,
      logger,
      metrics: createPlanMetrics(own),
    });
    try {
      await late.service.create({ kind: kind('Goal'), namespace: 'late' }, goal('ship'), request);
      heldUntil = Date.now() + HELD_MS;
      await late.service.create({ kind: kind('Plan'), namespace: 'late' }, plan('one', 'ship', '1'), request);
      await eventually('the time that passed before the events were read to be counted', async () => {
        const [, sum] = /gate_plans_status_seconds_sum (\S+)/.exec(await own.metrics())!;
        return Number(sum) >= (0.9 * HELD_MS) / 1000;
      });
    } finally {
      await late.close();
      await rm(place, { recursive: true, force: true });
    }
  });

  it('takes no plan away from a goal whose execution it has not heard of', async () => {
    const place = await mkdtemp(join(tmpdir(), 'gate-plan-unheard-'));
    const whole = createPostgresPlanStore(await openPlanDatabase({ folder: place }));
    const deaf = await openPlans({
      store: {
        ...whole,
        eventsAfter: async (revision, limit) =>
          (await whole.eventsAfter(revision, limit)).filter((event) => event.object.kind !== 'Execution'),
      },
      timers: systemTimers,
      now: Date.now,
      logger,
    });
    const shipped = { kind: kind('Goal'), namespace: 'any', name: 'ship' };
    const goalIs = (wanted: JsonObject) =>
      eventually(`the goal to be ${JSON.stringify(wanted)}`, async () => {
        expect((await deaf.service.get(shipped)).status).toMatchObject(wanted);
        return true;
      });
    try {
      await deaf.service.apply('any', [goal('ship'), plan('one', 'ship', '1')], request);
      await goalIs({ phase: 'Ready', activePlanRef: { name: 'one' } });
      await whole.write(async (session) => {
        const { uid = '' } = (await session.get({ kind: 'Plan', namespace: 'any', name: 'one' }))!.metadata;
        const ownerReferences = [{ apiVersion: API, kind: 'Plan', name: 'one', uid }];
        const spec = { planRef: { name: 'one' }, goalRef: { name: 'ship' }, runtimeRef: { name: 'gate' } };
        const metadata = { name: 'go', namespace: 'any', uid: 'u-1', generation: 1, ownerReferences };
        await session.create({ apiVersion: API, kind: 'Execution', metadata, spec, status: { phase: 'Pending' } });
      });
      const changed = object('Goal', 'ship', { description: 'ship it' });
      await deaf.service.apply('any', [changed, plan('two', 'ship', '2')], request);
      await goalIs({
        phase: 'Ready',
        activePlanRef: { name: 'one' },
        observedGeneration: 1,
        conditions: expect.arrayContaining([
          expect.objectContaining({ type: 'PlanChanged', reason: 'GenerationWaits', observedGeneration: 2 }),
        ]) as never,
      });
    } finally {
      await deaf.close();
      await rm(place, { recursive: true, force: true });
    }
  });

  it('logs a goal whose timeout is over, and it fails', async () => {
    await create('late', object('Goal', 'ship', { description: 'ship', timeout: '1ms' }));
    await eventually('the goal to fail', async () => (await get('Goal', 'late', 'ship')).status?.phase === 'Failed');
    expect(said).toContainEqual({
      text: 'A goal failed: its timeout is over',
      fields: { goal: 'ship', namespace: 'late', plan: undefined },
    });
  });
});
