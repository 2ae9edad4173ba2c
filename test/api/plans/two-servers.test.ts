import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Goal } from '../../../src/plans/kinds/goal';
import type { Plan } from '../../../src/plans/kinds/plan';
import { resolve } from '../../../src/plans/resolver/resolve';
import type { RunningServer } from '../../../src/server';
import { eventually } from '../../support/eventually';
import { startPlanServer } from '../../support/plan-server';
import { startPostgres, type TestPostgres } from '../../support/postgres';

interface Seen {
  type: string;
  object: { kind: string; metadata: { name: string; resourceVersion: string } };
  /** of Server-Sent Events alone */
  rev?: string;
}

const ROOT = '/apis/planspec.io/v1alpha1';
const NAMES = ['a', 'b', 'c', 'd'];

let folder: string;
let postgres: TestPostgres;
let url: string;
let first: RunningServer;
let second: RunningServer;
let database: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-two-servers-'));
  postgres = await startPostgres();
  url = await postgres.database('plans');
  [first, second] = await Promise.all([startPlanServer(folder, { url }), startPlanServer(folder, { url })]);
  database = new Client({ connectionString: url });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await Promise.all([first?.stop(), second?.stop()]);
  await postgres?.close();
  await rm(folder, { recursive: true, force: true });
});

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});
const goal = (name: string, description: string) => object('Goal', name, { description });
const plan = (name: string, of: string, version: string) =>
  object('Plan', name, {
    description: 'how',
    goalRef: { name: of },
    series: 's',
    version,
    graph: { nodes: [{ id: 'build', kind: 'Task' }] },
  });

/** Once: however many write, each has its turn. */
async function send(server: RunningServer, method: string, path: string, body?: object): Promise<number> {
  const reply = await fetch(`${server.url}${ROOT}/namespaces/default${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  await reply.text();
  return reply.status;
}

/** What a watch tells, from its begin until it is ended. */
async function watch(server: RunningServer, path: string) {
  const abort = new AbortController();
  const reply = await fetch(`${server.url}${ROOT}${path}`, { signal: abort.signal });
  const seen: Seen[] = [];
  const reading = (async () => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
      text += decoder.decode(chunk, { stream: true });
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        const json = line.startsWith('{') ? line : line.startsWith('data: ') ? line.slice('data: '.length) : '';
        if (json !== '') seen.push(JSON.parse(json) as Seen);
      }
    }
  })().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return {
    seen,
    async end() {
      abort.abort();
      await reading;
    },
  };
}

const told = ({ type, object: { metadata }, rev }: Seen): string =>
  `${rev ?? metadata.resourceVersion} ${type} ${metadata.name}`;

/** Every event of goals behind a revision, as the store has it. */
async function stored(after: string): Promise<string[]> {
  const { rows } = await database.query<{ revision: string; type: string; document: string }>(
    'select revision::text, type, document from plan_events where revision > $1 order by plan_events.revision',
    [after],
  );
  return rows
    .map(({ revision, type, document }) => ({ type, rev: revision, object: JSON.parse(document) as Seen['object'] }))
    .filter((each) => each.object.kind === 'Goal')
    .map(told);
}

async function revision(): Promise<string> {
  const { rows } = await database.query<{ revision: string }>('select revision::text from plan_store');
  return rows[0]!.revision;
}

/** Ends every connection that hears of news. @returns how many there were */
async function cutListeners(): Promise<number> {
  const { rowCount } = await database.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'planning-engine (listens)'",
  );
  return rowCount ?? 0;
}

/** Every goal has the status that its plans ask for. */
async function allResolved(): Promise<void> {
  await eventually('every goal to have the status that resolve wants', async () => {
    const { rows } = await database.query<{ kind: string; document: string }>(
      'select kind, document from plan_objects',
    );
    const of = (kind: string): object[] =>
      rows.filter((row) => row.kind === kind).map(({ document }) => JSON.parse(document) as object);
    const plans = of('Plan') as Plan[];
    return (of('Goal') as Goal[]).every((each) => !resolve(each, plans, { nowMs: Date.now() }).changed);
  });
}

/** Writers of both servers at once; each changes goals and plans, and deletes some. */
async function storm(turns: number, between: (turn: number) => Promise<unknown>): Promise<void> {
  const write = async (server: RunningServer, writer: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn += 1) {
      const name = NAMES[(writer + turn) % NAMES.length]!;
      const place = `p${(writer * 5 + turn) % 7}`;
      if (turn % 4 === 3) expect([200, 404]).toContain(await send(server, 'DELETE', `/plans/${place}`));
      else expect(await send(server, 'POST', '/apply', [plan(place, name, `${writer}.${turn}`)])).toBe(200);
      expect(await send(server, 'PUT', `/goals/${name}`, goal(name, `of ${writer} in ${turn}`))).toBe(200);
      if (writer === 0) await between(turn);
    }
  };
  await Promise.all([first, second, first, second].map(write));
}

it('two servers on one PostgreSQL tell every event in order, none lost or doubled, also when the connection that hears of news is cut', async () => {
  expect(
    await send(
      first,
      'POST',
      '/apply',
      NAMES.map((name) => goal(name, 'first')),
    ),
  ).toBe(200);
  const from = await revision();
  const paths = [
    `/goals?watch=true&resourceVersion=${from}`,
    `/namespaces/default/goals/watch?resourceVersion=${from}`,
  ];
  const watches = await Promise.all([first, second].flatMap((server) => paths.map((path) => watch(server, path))));
  let cut = 0;
  await storm(16, async (turn) => {
    if (turn % 5 === 1) cut += await cutListeners();
  });
  expect(cut).toBeGreaterThan(2);
  await allResolved();
  const wanted = await stored(from);
  expect(wanted.length).toBeGreaterThan(4 * 16);
  for (const { seen } of watches) {
    await eventually('the watch to tell the last event', () => seen.length >= wanted.length);
    expect(seen.map(told)).toEqual(wanted);
  }
  await Promise.all(watches.map(({ end }) => end()));
});

it('a watch resumes at another server, and at one that was restarted, where it was', async () => {
  const before = await watch(second, '/goals?watch=true');
  await eventually('the watch to tell what there is', () => before.seen.length >= NAMES.length);
  await before.end();
  const from = await revision();
  await second.stop();
  expect(await send(first, 'PUT', '/goals/a', goal('a', 'while the other is away'))).toBe(200);
  expect(await send(first, 'POST', '/apply', [plan('late', 'a', '99')])).toBe(200);
  expect(await send(first, 'DELETE', '/goals/b')).toBe(200);
  second = await startPlanServer(folder, { url });
  await allResolved();
  const wanted = await stored(from);
  expect(wanted.length).toBeGreaterThan(1);
  for (const server of [second, first]) {
    const resumed = await watch(server, `/goals?watch=true&resourceVersion=${from}`);
    await eventually('the watch to tell what it has missed', () => resumed.seen.length >= wanted.length);
    expect(resumed.seen.map(told)).toEqual(wanted);
    await resumed.end();
  }
});
