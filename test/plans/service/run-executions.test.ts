import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { JsonObject } from '../../../src/kernel/json';
import { systemTimers } from '../../../src/platform/timers/system-timers';
import type { PlanRuntime } from '../../../src/plans/execution/plan-run';
import { kindNamed } from '../../../src/plans/kinds/kinds';
import { followRun } from '../../../src/plans/service/follow-run';
import { openPlans, type Plans } from '../../../src/plans/service/open-plans';
import type { PlanStore } from '../../../src/plans/store/plan-store';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { eventually } from '../../support/eventually';

const namespace = 'many';
const request = { caller: { actor: 'ann', mayWriteStatus: () => true } };
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined } as never;
const object = (kind: string, name: string, spec: JsonObject): JsonObject => ({
  ...{ apiVersion: 'planspec.io/v1alpha1', kind, metadata: { name, namespace }, spec },
});
const execution = (name: string) =>
  object('Execution', name, { planRef: { name: 'steps' }, runtimeRef: { name: 'gate' } });

const starts: string[] = [];
const asked: string[] = [];
/** starts that are not answered yet */
let held: (() => void)[] = [];
let isHeld = false;
const runtime: PlanRuntime = {
  callbackUrl: () => undefined,
  check: () => [],
  async start(_run, { name }) {
    starts.push(name);
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    return 'started';
  },
  resume: () => Promise.resolve('started'),
  ask: ({ name }) => Promise.resolve(void asked.push(name)),
  whyClosed: () => Promise.resolve(undefined),
  nudge: () => Promise.resolve(),
  cancel: () => Promise.resolve(),
};

let folder: string;
let store: PlanStore;
let plans: Plans;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-run-executions-'));
  store = createPostgresPlanStore(await openPlanDatabase({ folder }));
  plans = await openPlans({ store, timers: systemTimers, now: Date.now, logger: quiet, runtime });
});
afterAll(async () => {
  held.forEach((release) => release());
  await plans?.close();
  await rm(folder, { recursive: true, force: true });
});

it('a run that is under way is told what is asked of it while many executions wait for their start', async () => {
  const plan = { description: 'how', graph: { nodes: [{ id: 'a', kind: 'Task' }] } };
  const rules = [{ selector: { planRef: { name: 'steps' } }, target: { provider: 'none' } }];
  const first = [object('Plan', 'steps', plan), object('Binding', 'all', { rules }), execution('first')];
  await plans.service.apply(namespace, first, request);
  await eventually('the first to be started', () => starts.includes('first'));
  const place = { kind: kindNamed('Execution')!, namespace, name: 'first' };
  const { uid = '' } = (await plans.service.get(place)).metadata;
  const nodes = [{ id: 'a', phase: 'Running' as const, atMs: Date.now() }];
  await followRun(store, { namespace, name: 'first', uid }, { order: 1, atMs: Date.now(), runId: 'r', nodes });

  isHeld = true;
  const names = Array.from({ length: 20 }, (_, index) => `e${index}`);
  await plans.service.apply(namespace, names.map(execution), request);
  await eventually('several starts', () => starts.length === 1 + 8);
  await plans.service.askRun(place, 'cancel', { reason: 'wrong version' }, request);
  await eventually('the first to be asked', () => asked.includes('first'));
  expect(starts).toHaveLength(1 + 8);

  isHeld = false;
  held.forEach((release) => release());
  held = [];
  // Told only once, though others began meanwhile.
  await eventually('all to be started', () => starts.length === 1 + names.length);
  expect([...starts].sort()).toEqual(['first', ...names].sort());
});
