import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunningServer } from '../../../src/server';
import { eventually } from '../../support/eventually';
import { startPlanServer } from '../../support/plan-server';

interface Told {
  cache: { metadata: { name: string } }[];
  told: string[];
  errors: string[];
}

let folder: string;
let server: RunningServer;
let port = 0;
let informer: ChildProcess;
let ask: () => Promise<Told>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-informer-'));
  await start();
  informer = spawn(process.execPath, [join(__dirname, '../../support/informer.mjs'), server.url, 'default'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: informer.stdout! })[Symbol.asyncIterator]();
  ask = async () => {
    informer.stdin!.write('\n');
    const { value, done } = await lines.next();
    if (done === true) throw new Error('The informer ended too early; what it printed is above');
    return JSON.parse(value as string) as Told;
  };
});
afterAll(async () => {
  informer?.stdin!.end();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  server = await startPlanServer(folder, { port });
  port = Number(new URL(server.url).port);
}

async function send(method: string, path: string, body?: object) {
  const reply = await fetch(`${server.url}/apis/planspec.io/v1alpha1/namespaces/default${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const answer = (await reply.json()) as { items: Told['cache'] };
  if (!reply.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

const object = (kind: string, name: string, spec: object) => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind,
  metadata: { name, namespace: 'default' },
  spec,
});
const goal = (name: string, description = 'ship') => object('Goal', name, { description });
const plan = (name: string, of: string) =>
  object('Plan', name, {
    description: 'how',
    goalRef: { name: of },
    graph: { nodes: [{ id: 'build', kind: 'Task' }] },
  });

/** Waits until the informer's cache is what the server lists, and returns what it told of each object. */
async function same(): Promise<Told> {
  const byName = (items: Told['cache']): Told['cache'] =>
    [...items].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return eventually('the cache to be what the server lists', async () => {
    const told = await ask();
    expect(byName(told.cache)).toEqual(byName((await send('GET', '/goals')).items));
    return told;
  });
}

it('an informer of @kubernetes/client-node keeps a correct cache through writes by others and a restart of the server', async () => {
  await send('POST', '/apply', [goal('a'), goal('b'), goal('c')] as never);
  await same();
  await Promise.all([
    send('POST', '/plans', plan('one', 'a')),
    send('PUT', '/goals/b', goal('b', 'changed')),
    send('DELETE', '/goals/c'),
    send('POST', '/goals', goal('d')),
  ]);
  await eventually('the goal to have its plan', async () =>
    (await send('GET', '/goals')).items.some((each) => JSON.stringify(each).includes('activePlanRef')),
  );
  const before = await same();
  expect(before.cache.map(({ metadata }) => metadata.name).sort()).toEqual(['a', 'b', 'd']);
  expect(before.errors).toEqual([]);

  await server.stop();
  await start();
  await send('DELETE', '/goals/d');
  await send('POST', '/goals', goal('e'));
  await send('PUT', '/plans/one', plan('one', 'b'));
  await eventually('the plan to be that of another goal', async () =>
    (await send('GET', '/goals')).items.some(
      (each) => each.metadata.name === 'b' && JSON.stringify(each).includes('activePlanRef'),
    ),
  );
  const { cache, told } = await same();
  expect(cache.map(({ metadata }) => metadata.name).sort()).toEqual(['a', 'b', 'e']);
  // Each revision of an object is told once.
  expect(new Set(told).size).toBe(told.length);
  expect(told.filter((each) => each.startsWith('delete')).map((each) => each.split(' ')[1])).toEqual(['c', 'd']);
});
