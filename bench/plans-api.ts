import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { startController } from '../src/plans/service/controller';
import { createEventFeed } from '../src/plans/service/event-feed';
import { openPlanDatabase } from '../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../src/plans/store/postgres/store';
import { systemTimers } from '../src/platform/timers/system-timers';
import { startServer, type RunningServer } from '../src/server';
import { parseSettings } from '../src/settings/load-settings';
import { startPostgres } from '../test/support/postgres';
import { alternate, latencyOf, type BenchRow, type Latency } from './bench-row';
import { goalOf, planOf } from './plans-world';

const GOALS = 1_000;
const PLANS_OF_GOAL = 10;
const SIZE = GOALS * PLANS_OF_GOAL;
const CALLS = 300;
const LISTS = 20;
const CHANGES = 100;
const PASSES = 5;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const ROOT = '/apis/planspec.io/v1alpha1/namespaces/default';

/** The API of plans at 10,000 plans, and the controller behind it, on both stores. */
export async function benchPlansApi(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const store of ['PGlite', 'PostgreSQL'] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'bench-plans-'));
    const postgres = store === 'PostgreSQL' ? await startPostgres() : undefined;
    try {
      const place =
        postgres === undefined ? { folder: join(folder, 'store') } : { url: await postgres.database('plans') };
      rows.push(...(await apiRows(store, folder, place)), await fullPassRow(store, place));
    } finally {
      await postgres?.close();
      await rm(folder, { recursive: true, force: true });
    }
  }
  return rows;
}

type StorePlace = { folder: string } | { url: string };

async function apiRows(store: string, folder: string, place: StorePlace): Promise<BenchRow[]> {
  const document = {
    audit: { store: place, stdout: false },
    server: { port: 0, quotas: { requestsPerSecond: 1_000_000 } },
    // Nothing listens there, and plans ask nothing of it.
    temporal: { address: '127.0.0.1:1' },
  };
  const loaded = { settings: parseSettings(document as never, { file: 'bench' }, folder), baseDir: folder };
  const server = await startServer(loaded, { worker: false, env: {}, logger: silent as never });
  const dispatcher = new Agent({ pipelining: 1, connections: 4 });
  const ask = async (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<string> => {
    const answer = await request(`${server.url}${path}`, {
      method,
      dispatcher,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300)
      throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
    return text;
  };
  try {
    for (let goal = 0; goal < GOALS; goal += 50) {
      const some = Array.from({ length: 50 }, (_, at) => goal + at);
      const objects = some.flatMap((each) => [
        goalOf(each),
        ...Array.from({ length: PLANS_OF_GOAL }, (_, at) => planOf(each, at)),
      ]);
      await ask('POST', `${ROOT}/apply`, objects);
    }
    await statusOf(ask, GOALS - 1);
    const health = await latencyOf([() => ask('GET', '/healthz')], CALLS);
    const row = (what: string, at: 'p50' | 'p99', took: Latency): BenchRow => ({
      name: `${what} at ${SIZE} plans on ${store}, ${at}`,
      baseline: 'health check of the same server',
      ours: took[at],
      base: health[at],
      ratio: took[at] / health[at],
      target: 'stated',
      met: true,
      unit: 'ms',
    });
    const rows: BenchRow[] = [];
    const measure = async (what: string, calls: number, call: (turn: number) => Promise<unknown>): Promise<void> => {
      let turn = 0;
      const took = await latencyOf([() => call(turn++)], calls);
      rows.push(row(what, 'p50', took), row(what, 'p99', took));
    };
    await measure('List all plans', LISTS, () => ask('GET', `${ROOT}/plans`));
    await measure('List a page of 500 plans', CALLS, () => ask('GET', `${ROOT}/plans?limit=500`));
    // Of no goal: what the controller does after it is measured below.
    const free = (turn: number, description: string) =>
      planOf(GOALS + turn, 0, { description, goalRef: { name: 'none' } });
    await measure('Create a plan', CALLS, (turn) => ask('POST', `${ROOT}/plans`, free(turn, 'new')));
    await measure('Replace a plan', CALLS, (turn) =>
      ask('PUT', `${ROOT}/plans/plan-${GOALS + turn}-0`, free(turn, 'changed')),
    );
    const status = await untilStatus(server, ask);
    for (const at of ['p50', 'p99'] as const) {
      rows.push({
        ...row('', at, status),
        name: `From sending a plan to its goal's status on a watch, ${SIZE} plans on ${store}, ${at}`,
        baseline: 'target of 100 ms',
        base: 100,
        ratio: status[at] / 100,
        target: '<= 1',
        met: status[at] <= 100,
      });
    }
    return rows;
  } finally {
    await dispatcher.close();
    await server.stop();
  }
}

type Ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<string>;

/** Waits until the goal has a plan. */
async function statusOf(ask: Ask, goal: number): Promise<void> {
  while (!(await ask('GET', `${ROOT}/goals/goal-${goal}`)).includes('activePlanRef')) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A new version of a goal's plan is stored; how long until the watch of all goals tells that it is the active one. */
async function untilStatus(server: RunningServer, ask: Ask): Promise<Latency> {
  const ending = new AbortController();
  const reply = await request(`${server.url}${ROOT}/goals/watch`, { method: 'GET', signal: ending.signal });
  let wanted = '';
  let told = (): void => undefined;
  const reading = (async () => {
    let text = '';
    for await (const chunk of reply.body) {
      text += String(chunk);
      if (wanted !== '' && text.includes(`"activePlanRef":{"name":"${wanted}"`)) told();
      text = text.slice(text.lastIndexOf('\n') + 1);
    }
  })().catch(() => undefined);
  let turn = 0;
  const change = async (): Promise<void> => {
    turn += 1;
    const goal = (turn * 7) % GOALS;
    const name = `next-${turn}`;
    const plan = planOf(goal, 0, { series: 's0', version: `9.${turn}.0` }, name);
    const seen = new Promise<void>((resolve) => (told = resolve));
    wanted = name;
    // From before the commit: what is measured is more than what is asked, by the request up to then.
    await ask('POST', `${ROOT}/plans`, plan);
    await seen;
    wanted = '';
  };
  const took = await latencyOf([change], CHANGES);
  ending.abort();
  await reading;
  return took;
}

/** All goals are looked at, with nothing to change; compared with reading and parsing the rows that it reads. */
async function fullPassRow(store: string, place: StorePlace): Promise<BenchRow> {
  const opened = createPostgresPlanStore(await openPlanDatabase(place));
  const logger = silent;
  const feed = await createEventFeed({ store: opened, timers: systemTimers, logger });
  const pass = async (): Promise<void> => {
    const controller = await startController({ store: opened, feed, timers: systemTimers, now: Date.now, logger });
    await controller.settled();
    await controller.close();
  };
  const read = async (): Promise<void> => {
    for (const kind of ['Goal', 'Binding', 'Capability', 'Plan']) await opened.list({ kind });
  };
  try {
    await pass();
    const before = await opened.revision();
    const measured = await alternate(
      PASSES,
      () => milliseconds(pass),
      () => milliseconds(read),
    );
    if ((await opened.revision()) !== before)
      throw new Error('Expected a pass with nothing to change to write nothing');
    return {
      name: `Full pass with nothing to change, ${GOALS} goals over ${SIZE} plans on ${store}`,
      baseline: 'reading and parsing the rows',
      ...measured,
      target: '<= 3',
      met: measured.ratio <= 3,
      unit: 'ms',
    };
  } finally {
    await feed.close();
    await opened.close();
  }
}

async function milliseconds(run: () => Promise<void>): Promise<number> {
  const from = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - from) / 1e6;
}
