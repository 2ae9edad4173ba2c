import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../../../src/kernel/digest';
import { startServer, type RunningServer } from '../../../src/server';
import { parseSettings } from '../../../src/settings/load-settings';
import { eventually } from '../../support/eventually';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const ROOT = '/apis/planspec.io/v1alpha1';
const TOKENS = { viewer: 'see', author: 'write', operator: 'run', controller: 'control', approver: 'approve' };

/** As it comes: what is in it is for each test to expect. */
type Json = Record<string, ReturnType<typeof JSON.parse>>;
interface Reply {
  status: number;
  body: Json;
  headers: Headers;
}

let folder: string;
let server: RunningServer;
let port = 0;

/** One server for all: each test has a namespace of its own. Its tokens count from the second start on. */
async function start(): Promise<void> {
  const document = {
    audit: { store: { folder: join(folder, 'store') }, stdout: false },
    server: { port },
    access: {
      tokens: Object.entries(TOKENS).map(([role, token]) => ({ hash: sha256Of(token), actor: role, roles: [role] })),
    },
  };
  const settings = parseSettings(document as never, { file: 'test' }, folder);
  server = await startServer({ settings, baseDir: folder }, { worker: false, env: {}, logger: silent as never });
  port = Number(new URL(server.url).port);
}

const sha256Of = (text: string): string => {
  const hash = sha256(text);
  return hash.startsWith('sha256:') ? hash : `sha256:${hash}`;
};

/** The token of the embedded store, as this user's commands have it. */
let owner = '';

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const reply = await fetch(`${server.url}${path.startsWith('/apis') ? path : `${ROOT}${path}`}`, {
    method,
    headers: {
      authorization: `Bearer ${owner}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body) }),
  });
  const text = await reply.text();
  return { status: reply.status, body: text === '' ? {} : (JSON.parse(text) as Json), headers: reply.headers };
}

const goal = (name: string, more: Json = {}): Json => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Goal',
  metadata: { name, namespace: 'any', ...more.metadata },
  spec: { description: 'ship', ...more.spec },
  ...(more.status === undefined ? {} : { status: more.status }),
});
const plan = (name: string, goalName: string, more: Json = {}): Json => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Plan',
  metadata: { name, namespace: 'any', ...more.metadata },
  spec: {
    description: 'how',
    goalRef: { name: goalName },
    graph: { nodes: [{ id: 'build', kind: 'Task' }], edges: [] },
    ...more.spec,
  },
});
const execution = (name: string, planName: string): Json => ({
  apiVersion: 'planspec.io/v1alpha1',
  kind: 'Execution',
  metadata: { name, namespace: 'any' },
  spec: { planRef: { name: planName } },
});
const activePlan = ({ body }: Reply): string | undefined => body.status?.activePlanRef?.name;
const resolved = (namespace: string, name: string, wanted: string | undefined) =>
  eventually(`goal ${name} to have the plan ${wanted}`, async () => {
    const reply = await ask('GET', `/namespaces/${namespace}/goals/${name}`);
    const seen = reply.body.status?.conditions?.some((each: Json) => each.type === 'PlanResolved');
    return seen === true && activePlan(reply) === wanted && reply;
  });

/** Reads a stream until `enough` of its text says so, and hangs up. */
async function readStream(path: string, enough: (text: string) => boolean, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const reply = await fetch(`${server.url}${ROOT}${path}`, {
    headers: { authorization: `Bearer ${owner}`, ...headers },
    signal: abort.signal,
  });
  let text = '';
  const done = (async () => {
    for await (const chunk of reply.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      if (enough(text)) break;
    }
    abort.abort();
    return text;
  })();
  return { status: reply.status, type: reply.headers.get('content-type'), done };
}
const eventsOf = (text: string): Json[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Json);
const linesOf = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-plan-api-'));
  await start();
  owner = await ownerToken();
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ownerToken(): Promise<string> {
  const { readdir, readFile } = await import('node:fs/promises');
  const names = await readdir(join(folder, 'store'));
  const name = names.find((each) => each.includes('token'))!;
  return (await readFile(join(folder, 'store', name), 'utf8')).trim();
}

describe('objects over HTTP', () => {
  it('creates, reads, lists, replaces and deletes, with the codes and bodies of PlanSpec', async () => {
    const made = await ask('POST', '/namespaces/crud/goals', goal('a', { metadata: { labels: { team: 'x' } } }));
    expect(made.status).toBe(201);
    expect(made.body.metadata).toMatchObject({ name: 'a', namespace: 'crud', generation: 1 });
    expect(made.body.status.phase).toBe('Pending');
    await resolved('crud', 'a', undefined);
    expect((await ask('POST', '/namespaces/crud/goals', goal('a'))).body).toMatchObject({
      kind: 'Status',
      reason: 'AlreadyExists',
      code: 409,
    });
    const list = await ask('GET', '/namespaces/crud/goals');
    expect(list.body).toMatchObject({ kind: 'GoalList', metadata: { resourceVersion: expect.any(String) } });
    expect(list.body.items).toHaveLength(1);
    expect((await ask('GET', '/namespaces/crud/goals?labelSelector=team=y')).body.items).toEqual([]);
    const all = await ask('GET', '/goals?allNamespaces=true&labelSelector=team%20in%20(x)');
    expect(all.body.items.map((each: Json) => each.metadata.namespace)).toEqual(['crud']);

    const replaced = await ask('PUT', '/namespaces/crud/goals/a', goal('a', { spec: { description: 'other' } }));
    expect(replaced.body.metadata.generation).toBe(2);
    expect(replaced.body.status.phase).toBe('Pending');
    const stale = goal('a', { metadata: { resourceVersion: made.body.metadata.resourceVersion } });
    expect((await ask('PUT', '/namespaces/crud/goals/a', stale)).status).toBe(409);
    const bad = goal('a', { metadata: { resourceVersion: 'abc' } });
    expect((await ask('PUT', '/namespaces/crud/goals/a', bad)).status).toBe(400);
    expect((await ask('DELETE', '/namespaces/crud/goals/a')).body).toMatchObject({ kind: 'Status', status: 'Success' });
    expect((await ask('GET', '/namespaces/crud/goals/a')).body).toMatchObject({ reason: 'NotFound', code: 404 });
  });

  it.each([
    ['an unknown resource', 'GET', '/namespaces/default/widgets', undefined, 404],
    ['an unknown method', 'POST', '/namespaces/default/goals/a', {}, 405],
    ['a kind that is not the path’s', 'POST', '/namespaces/default/goals', plan('p', 'g'), 400],
    ['a text that is no JSON', 'POST', '/namespaces/default/goals', '{"a":', 400],
    ['bytes that are no UTF-8', 'POST', '/namespaces/default/goals', Buffer.from('{"a": "ä"}', 'latin1'), 400],
    ['a namespace that is no name', 'POST', '/namespaces/UPPER/goals', goal('a'), 400],
    ['a selector that cannot be read', 'GET', '/goals?labelSelector=a%20in', undefined, 400],
    ['a limit that is no number', 'GET', '/goals?limit=many', undefined, 400],
    ['a token of no page', 'GET', '/goals?continue=zzz', undefined, 400],
    ['the watch of a revision that is none', 'GET', '/goals?watch=true&resourceVersion=x', undefined, 400],
    ['the list of a revision that is none', 'GET', '/goals?resourceVersion=x', undefined, 400],
    ['a switch that is neither on nor off', 'GET', '/goals?watch=maybe', undefined, 400],
    ['a watch from what the store has not reached', 'GET', '/goals?watch=1&resourceVersion=9999999', undefined, 410],
    ['events from what the store has not reached', 'GET', '/goals/watch?resourceVersion=9999999', undefined, 410],
  ] as const)('answers %s with a Status object', async (_what, method, path, body, code) => {
    const reply = await ask(method, path, body);
    expect(reply.body).toMatchObject({ kind: 'Status', status: 'Failure', code });
    expect(reply.status).toBe(code);
  });

  it('refuses a body that is too large, or of another type, with a Status object', async () => {
    const large = goal('a', { spec: { description: 'x'.repeat(5 * 1024 * 1024) } });
    expect((await ask('POST', '/namespaces/default/goals', large)).body).toMatchObject({ kind: 'Status', code: 413 });
    const typed = await ask('POST', '/namespaces/default/goals', 'a: 1', { 'content-type': 'text/plain' });
    expect(typed.body).toMatchObject({ reason: 'UnsupportedMediaType', code: 415 });
    const packed = await ask('POST', '/namespaces/default/goals', goal('a'), { 'content-encoding': 'gzip' });
    expect(packed.body).toMatchObject({ reason: 'UnsupportedMediaType', code: 415 });
    const type = { 'content-type': 'application/json; charset=utf-16' };
    expect((await ask('POST', '/namespaces/default/goals', goal('a'), type)).body).toMatchObject({
      message: expect.stringContaining('UTF-8'),
      code: 415,
    });
  });

  it.each([
    ['GET', '/namespaces/default/goals/%00', undefined, 404],
    ['GET', '/namespaces/%00/goals', undefined, 200],
    ['DELETE', '/namespaces/%00', undefined, 404],
    ['DELETE', '/namespaces/default%00/goals', undefined, 200],
    ['POST', '/namespaces', { metadata: { name: 'a\u0000' } }, 400],
    // Nothing refers to its plan: PlanSpec checks no references.
    ['POST', '/namespaces/default/executions', execution('e', 'p\u0000'), 201],
    ['GET', `/goals?continue=${Buffer.from('9999999999999999999/Goal/a/b').toString('base64url')}`, undefined, 400],
    ['GET', `/goals?continue=${Buffer.from('999999999999/Goal/a/b').toString('base64url')}`, undefined, 410],
    ['POST', '/namespaces/default/goals', goal('watch'), 400],
    ['GET', '/apis/other.io/v1', undefined, 404],
    ['GET', '/apis/planspec.io/v2/goals', undefined, 404],
  ])('%s %s is never the failure of the store', async (method, path, body, code) => {
    const reply = await ask(method, path, body);
    expect([reply.status, reply.body.kind]).toEqual([
      code,
      code < 300 ? expect.stringMatching(/List$|^Status$|^Execution$/) : 'Status',
    ]);
  });

  it('tells every fault of an object at once', async () => {
    const broken = plan('p', 'g', {
      spec: {
        description: '',
        graph: {
          nodes: [
            { id: 'a', kind: 'Task', dependsOn: ['gone'] },
            { id: 'a', kind: 'Task' },
          ],
        },
      },
    });
    const { body } = await ask('POST', '/namespaces/default/plans', broken);
    expect(body.details.causes.length).toBeGreaterThan(2);
    const { body: said } = await ask('POST', '/validate', [goal('fine'), broken]);
    expect(said.valid).toBe(false);
    expect(said.results.map((each: Json) => each.valid)).toEqual([true, false]);
  });

  it('gives a long list in pages, and the same revision on each', async () => {
    const goals = ['a', 'b', 'c', 'd', 'e'].map((name) => goal(name));
    await ask('POST', '/namespaces/pages/apply', goals);
    const first = await ask('GET', '/namespaces/pages/goals?limit=2');
    const token = encodeURIComponent(first.body.metadata.continue);
    const second = await ask('GET', `/namespaces/pages/goals?limit=2&continue=${token}`);
    const last = encodeURIComponent(second.body.metadata.continue);
    const third = await ask('GET', `/namespaces/pages/goals?limit=2&continue=${last}`);
    const pages = [first, second, third].map(({ body }) => body.items.map((each: Json) => each.metadata.name));
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(third.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    expect(third.body.metadata.continue).toBeUndefined();
  });

  it('lists no state that is older than the one that was asked for, and no other one where it has to be exact', async () => {
    await ask('POST', '/namespaces/states/goals', goal('a'));
    const list = (query: string) => ask('GET', `/namespaces/states/goals?${query}`);
    const newest: string = (await list('')).body.metadata.resourceVersion;
    for (const [query, code] of [
      [`resourceVersion=${newest}`, 200],
      [`resourceVersion=${newest}&resourceVersionMatch=NotOlderThan`, 200],
      ['resourceVersion=0&resourceVersionMatch=NotOlderThan', 200],
      ['resourceVersion=1', 200],
      ['resourceVersion=1&resourceVersionMatch=Exact', 410],
      ['resourceVersion=999999999999', 410],
      ['resourceVersionMatch=Exact', 400],
      [`resourceVersion=${newest}&resourceVersionMatch=About`, 400],
    ] as const) {
      expect([query, (await list(query)).status]).toEqual([query, code]);
    }
  });

  it('gives an object without a name one that begins with generateName', async () => {
    const { metadata: _metadata, ...rest } = goal('a');
    const unnamed = { ...rest, metadata: { generateName: 'ship-' } };
    const made = await Promise.all([1, 2].map(() => ask('POST', '/namespaces/named/goals', unnamed)));
    expect(made.map(({ status }) => status)).toEqual([201, 201]);
    const names = made.map(({ body }) => body.metadata.name as string);
    expect(names).toEqual(names.map(() => expect.stringMatching(/^ship-[0-9a-f]{5}$/)));
    expect(new Set(names).size).toBe(2);
    expect((await ask('POST', '/namespaces/named/goals', { ...rest, metadata: {} })).body).toMatchObject({
      reason: 'Invalid',
    });
  });

  it('deletes all that a selector finds, in one transaction', async () => {
    for (const [name, team] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
    ]) {
      await ask('POST', '/namespaces/many/goals', goal(name!, { metadata: { labels: { team } } }));
    }
    const left = async (): Promise<string[]> =>
      (await ask('GET', '/namespaces/many/goals')).body.items.map(({ metadata }: Json) => metadata.name);
    const dry = await ask('DELETE', '/namespaces/many/goals?labelSelector=team%3Dx&dryRun=All');
    expect(dry.body).toMatchObject({
      kind: 'GoalList',
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    });
    expect(await left()).toEqual(['a', 'b', 'c']);
    expect((await ask('DELETE', '/namespaces/many/goals?labelSelector=team%3Dx')).status).toBe(200);
    expect(await left()).toEqual(['c']);
    expect((await ask('DELETE', '/namespaces/many/goals')).body.items).toHaveLength(1);
    expect(await left()).toEqual([]);
  });

  it.each([
    ['"All"'],
    ['3'],
    ['{"dryRun":"All"}'],
    ['{"dryRun":["Some"]}'],
    ['{"preconditions":3}'],
    ['{"preconditions":{"uid":3}}'],
    ['{"propagationPolicy":"Orphans"}'],
    ['{"kind":"Goal"}'],
  ])('deletes nothing where the DeleteOptions %s cannot be read', async (options) => {
    await ask('POST', '/namespaces/options/goals', goal('a'));
    for (const path of ['/namespaces/options/goals/a', '/namespaces/options/goals', '/namespaces/options']) {
      expect((await ask('DELETE', path, options)).body).toMatchObject({ kind: 'Status', code: 400 });
    }
    expect((await ask('DELETE', '/namespaces/options/goals/a?propagationPolicy=Orphans')).status).toBe(400);
    const nulls = { kind: 'DeleteOptions', preconditions: { uid: null }, propagationPolicy: null, dryRun: ['All'] };
    expect((await ask('DELETE', '/namespaces/options/goals/a', nulls)).status).toBe(200);
    expect((await ask('GET', '/namespaces/options/goals/a')).status).toBe(200);
  });

  it('tells of unknown fields in every kind of write, as fieldValidation asks for', async () => {
    await ask('POST', '/namespaces/fields/goals', goal('a'));
    const merge = { 'content-type': 'application/merge-patch+json' };
    const operations = { 'content-type': 'application/json-patch+json' };
    const spec = goal('a', { spec: { colour: 'red' } });
    const status = { status: { phase: 'Pending', colour: 'red' } };
    const writes: [string, string, unknown, Record<string, string>?][] = [
      ['POST', 'goals', { ...spec, metadata: { name: 'b' } }],
      ['POST', 'apply', [spec]],
      ['PUT', 'goals/a', spec],
      ['PATCH', 'goals/a', { spec: { colour: 'red' } }, merge],
      ['PATCH', 'goals/a', [{ op: 'add', path: '/spec/colour', value: 'red' }], operations],
      ['PUT', 'goals/a/status', status],
      ['PATCH', 'goals/a/status', status, merge],
      ['PATCH', 'goals/a/status', [{ op: 'add', path: '/status/colour', value: 'red' }], operations],
    ];
    for (const [method, path, body, type] of writes) {
      const write = (word: string) =>
        ask(method, `/namespaces/fields/${path}?dryRun=All&fieldValidation=${word}`, body, type ?? {});
      const warned = await write('Warn');
      expect([path, warned.status < 300, warned.headers.get('warning')]).toEqual([
        path,
        true,
        expect.stringContaining('.colour'),
      ]);
      expect((await write('Strict')).body).toMatchObject({ code: 400, message: expect.stringContaining('.colour') });
      expect((await write('Ignore')).headers.get('warning')).toBeNull();
    }
  });

  it('patches by merge and by operations, and refuses an apply patch by name', async () => {
    await ask('POST', '/namespaces/patches/goals', goal('a'));
    const path = '/namespaces/patches/goals/a';
    const merge = { 'content-type': 'application/merge-patch+json' };
    const merged = await ask('PATCH', path, { metadata: { labels: { team: 'x' } } }, merge);
    expect(merged.body.metadata.labels).toEqual({ team: 'x' });
    const operations = [{ op: 'replace', path: '/spec/description', value: 'other' }];
    const patched = await ask('PATCH', path, operations, { 'content-type': 'application/json-patch+json' });
    expect(patched.body).toMatchObject({ spec: { description: 'other' }, metadata: { generation: 2 } });
    const stale = { metadata: { resourceVersion: merged.body.metadata.resourceVersion, labels: { team: 'y' } } };
    expect((await ask('PATCH', path, stale, merge)).status).toBe(409);
    const applied = await ask('PATCH', path, {}, { 'content-type': 'application/apply-patch+yaml' });
    expect(applied.status).toBe(415);
  });

  it('stores nothing in a dry run', async () => {
    expect((await ask('POST', '/namespaces/dry/goals?dryRun=All', goal('a'))).status).toBe(201);
    expect((await ask('POST', '/namespaces/dry/apply?dryRun=All', [goal('a')])).body.applied[0].action).toBe('created');
    expect((await ask('GET', '/namespaces/dry/goals')).body.items).toEqual([]);
    expect((await ask('GET', '/namespaces/dry')).status).toBe(404);
  });
});

describe('the controller', () => {
  it('resolves a goal when its plans change, and counts the goal that a plan named before', async () => {
    await ask('POST', '/namespaces/resolve/goals', goal('a'));
    await ask('POST', '/namespaces/resolve/goals', goal('b'));
    await ask('POST', '/namespaces/resolve/plans', plan('p', 'a'));
    const { body } = await resolved('resolve', 'a', 'p');
    expect(body.status).toMatchObject({ phase: 'Ready', observedGeneration: 1 });
    await ask('PUT', '/namespaces/resolve/plans/p', plan('p', 'b'));
    await resolved('resolve', 'a', undefined);
    await resolved('resolve', 'b', 'p');
    await ask('DELETE', '/namespaces/resolve/plans/p');
    await resolved('resolve', 'b', undefined);
  });

  it('loses no write of others while it writes', async () => {
    await ask('POST', '/namespaces/storm/goals', goal('g'));
    await Promise.all(
      Array.from({ length: 20 }, async (_value, index) => {
        const spec = { description: `d${index}` };
        const metadata = { labels: { at: String(index) } };
        await ask(
          'POST',
          '/namespaces/storm/plans',
          plan(`p${index}`, 'g', { spec: { series: 's', version: `${index}` } }),
        );
        await ask('PUT', '/namespaces/storm/goals/g', goal('g', { spec, metadata }));
      }),
    );
    const { body } = await resolved('storm', 'g', 'p19');
    expect(body.metadata.labels.at).toBe(body.spec.description.slice(1));
    expect(body.metadata.generation).toBe(21);
    await eventually('the last generation to be looked at', async () => {
      const { body: now } = await ask('GET', '/namespaces/storm/goals/g');
      return now.status.observedGeneration === 21;
    });
  });
});

describe('status', () => {
  it('takes a status on its own path, and never what is the controller’s', async () => {
    await ask('POST', '/namespaces/status/goals', goal('a'));
    await ask('POST', '/namespaces/status/plans', plan('p', 'a'));
    const { body } = await resolved('status', 'a', 'p');
    const status = { ...body.status, phase: 'Executing', activePlanRef: { name: 'other', namespace: 'status' } };
    const put = await ask('PUT', '/namespaces/status/goals/a/status', { ...body, spec: { description: 'no' }, status });
    expect(put.body).toMatchObject({ spec: { description: 'ship' }, status: { phase: 'Executing' } });
    expect(put.body.status.activePlanRef.name).toBe('p');
    const again = { ...body, status };
    expect((await ask('PUT', '/namespaces/status/goals/a/status', again)).status).toBe(409);
  });

  it('keeps the status of a write without one, and warns of one that carries no resourceVersion', async () => {
    await ask('POST', '/namespaces/kept/goals', goal('a'));
    await ask('POST', '/namespaces/kept/plans', plan('p', 'a'));
    await resolved('kept', 'a', 'p');
    expect(activePlan(await ask('PUT', '/namespaces/kept/goals/a', goal('a')))).toBe('p');
    const sent = await ask('PUT', '/namespaces/kept/goals/a', goal('a', { status: { phase: 'Failed' } }));
    expect(sent.headers.get('warning')).toMatch(/^299 - ".*status is not taken/);
    expect(sent.body.status.phase).toBe('Ready');
  });
});

describe('a goal that has ended', () => {
  const again = (name: string, body: unknown = {}, headers: Record<string, string> = {}) =>
    ask('POST', `/namespaces/again/goals/${name}/again`, body, headers);

  /** One that was executed with the plan `NAME-1`; `NAME-2` would win now. */
  async function ended(name: string, more: Json = {}): Promise<void> {
    await ask('POST', '/namespaces/again/goals', goal(name, more));
    await ask('POST', '/namespaces/again/plans', plan(`${name}-1`, name, { spec: { series: 's', version: '1' } }));
    const { body } = await resolved('again', name, `${name}-1`);
    const status = { ...body.status, phase: 'Succeeded' };
    expect((await ask('PUT', `/namespaces/again/goals/${name}/status`, { ...body, status })).status).toBe(200);
    await ask('POST', '/namespaces/again/plans', plan(`${name}-2`, name, { spec: { series: 's', version: '2' } }));
    await eventually('the other plan to be told', async () => {
      const { conditions } = (await ask('GET', `/namespaces/again/goals/${name}`)).body.status;
      return conditions.some((each: Json) => each.type === 'PlanChanged' && each.status === 'True');
    });
  }

  it('is resolved as if it were new where someone asks for it, once, and the audit log says who', async () => {
    await ended('a');
    const { status, body } = await again('a', { actor: 'ann', reason: 'version 2' });
    expect([status, body.status.phase, body.status.activePlanRef.name]).toEqual([200, 'Ready', 'a-2']);
    expect(body.spec).toEqual({ description: 'ship' });
    const repeated = await again('a', { actor: 'ann', reason: 'version 2' });
    expect([repeated.status, repeated.body.metadata.resourceVersion]).toEqual([200, body.metadata.resourceVersion]);
  });

  it('stays as it is in a dry run, where its time is over, where no plan wins, and for what is no question', async () => {
    await ended('b');
    const dry = await ask('POST', '/namespaces/again/goals/b/again?dryRun=All', {});
    expect(dry.body.status.activePlanRef.name).toBe('b-2');
    expect(activePlan(await ask('GET', '/namespaces/again/goals/b'))).toBe('b-1');
    await ask('POST', '/namespaces/again/goals', goal('late', { spec: { timeout: '1ms' } }));
    await ask('POST', '/namespaces/again/goals', goal('bare'));
    const refusals = await Promise.all([
      again('late'),
      again('bare'),
      again('b', []),
      again('b', { node: 'x', reason: '' }),
      again('missing'),
      ask('GET', '/namespaces/again/goals/b/again'),
    ]);
    expect(refusals.map(({ status, body }) => [status, body.message])).toEqual([
      [409, expect.stringMatching(/^Goal again\/late: its timeout of 1ms is over since .*: give it a longer one$/)],
      [409, 'Goal again/bare: no plan of it would be the active one: gate plans explain bare says why'],
      [400, 'Expected an object, which may have reason and actor'],
      [400, expect.stringContaining('expected only reason, actor')],
      [404, expect.stringContaining('missing')],
      [405, expect.stringContaining('POST')],
    ]);
  });
});

describe('apply', () => {
  it('says created, unchanged and updated, and stores all or nothing', async () => {
    const actions = async (body: Json[]) =>
      (await ask('POST', '/namespaces/apply/apply', body)).body.applied?.map((each: Json) => each.action);
    expect(await actions([goal('a'), plan('p', 'a')])).toEqual(['created', 'created']);
    const { body } = await resolved('apply', 'a', 'p');
    expect(await actions([goal('a'), plan('p', 'a')])).toEqual(['unchanged', 'unchanged']);
    expect((await ask('GET', '/namespaces/apply/goals/a')).body).toEqual(body);
    expect(await actions([goal('a', { spec: { description: 'other' } }), plan('p', 'a')])).toEqual([
      'updated',
      'unchanged',
    ]);

    const stale = goal('a', { metadata: { resourceVersion: '1' } });
    const conflict = await ask('POST', '/namespaces/apply/apply', [goal('new'), stale]);
    expect(conflict.body).toMatchObject({ code: 409, details: { causes: [{ index: 1, resource: 'Goal/a' }] } });
    const broken = await ask('POST', '/namespaces/apply/apply', [
      goal('new'),
      goal('b', { spec: { description: '' } }),
    ]);
    expect(broken.body).toMatchObject({ code: 400, details: { causes: [{ index: 1, resource: 'Goal/b' }] } });
    expect((await ask('GET', '/namespaces/apply/goals/new')).status).toBe(404);
  });
});

describe('namespaces and owners', () => {
  it('makes a namespace with the first write, and deletes it with everything in it', async () => {
    await ask('POST', '/namespaces/spaces/goals', goal('a'));
    await ask('POST', '/namespaces/spaces/apply', [plan('p', 'g'), execution('e', 'p')]);
    const listed = await ask('GET', '/namespaces');
    expect(listed.body.items.map((each: Json) => each.metadata.name)).toEqual(
      expect.arrayContaining(['default', 'spaces']),
    );
    const page = await ask('GET', '/namespaces?limit=1');
    const next = await ask('GET', `/namespaces?limit=500&continue=${page.body.metadata.continue}`);
    expect([...page.body.items, ...next.body.items]).toEqual(listed.body.items);
    expect((await ask('POST', '/namespaces', { metadata: { name: 'spaces' } })).status).toBe(409);
    const from = (await ask('GET', '/goals')).body.metadata.resourceVersion;
    expect((await ask('DELETE', '/namespaces/spaces')).status).toBe(200);
    expect((await ask('GET', '/namespaces/spaces')).status).toBe(404);
    const { done } = await readStream(`/goals/watch?resourceVersion=${from}`, (text) => text.includes('DELETED'));
    expect(eventsOf(await done).at(-1)).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'a' } } });
    // What its plan owned is told of once, too.
    const path = `/executions?watch=1&timeoutSeconds=1&resourceVersion=${from}`;
    const executions = await readStream(path, () => false);
    expect(linesOf(await executions.done).map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['DELETED', 'e'],
    ]);
  });

  it('deletes the executions of a plan with it, and waits for finalizers', async () => {
    await ask('POST', '/namespaces/owners/apply', [plan('p', 'g')]);
    const made = await ask('POST', '/namespaces/owners/executions', execution('e', 'p'));
    expect(made.body.metadata.ownerReferences).toMatchObject([{ kind: 'Plan', name: 'p' }]);
    const held = await ask('POST', '/namespaces/owners/goals', goal('g', { metadata: { finalizers: ['me/hold'] } }));
    expect(held.status).toBe(201);
    await ask('DELETE', '/namespaces/owners/plans/p');
    expect((await ask('GET', '/namespaces/owners/executions/e')).status).toBe(404);
    await ask('DELETE', '/namespaces/owners');
    expect((await ask('GET', '/namespaces/owners')).body.status.phase).toBe('Terminating');
    expect((await ask('POST', '/namespaces/owners/goals', goal('late'))).status).toBe(409);
    const patch = { metadata: { finalizers: null } };
    await ask('PATCH', '/namespaces/owners/goals/g', patch, { 'content-type': 'application/merge-patch+json' });
    expect((await ask('GET', '/namespaces/owners')).status).toBe(404);
  });
});

describe('an execution', () => {
  const ownedBy = (of: Reply): Json => {
    const { apiVersion, kind, metadata } = of.body;
    return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }] };
  };
  it.each(['goals', 'plans'])('goes with each of its owners, such as those of its %s', async (resource) => {
    const path = `/namespaces/owned-${resource}`;
    const owner = ownedBy(await ask('POST', `${path}/goals`, goal('x')));
    await ask('POST', `${path}/plans`, plan('x', 'x'));
    const sent = { ...execution('e', 'x'), metadata: { name: 'e', ...owner } };
    for (const [method, at, code] of [
      ['POST', '', 201],
      ['PUT', '/e', 200],
    ] as const) {
      const { status, body } = await ask(method, `${path}/executions${at}`, sent);
      expect([status, body.metadata.ownerReferences.map((each: Json) => each.kind)]).toEqual([code, ['Goal', 'Plan']]);
    }
    await ask('DELETE', `${path}/${resource}/x`);
    expect((await ask('GET', `${path}/executions/e`)).status).toBe(404);
  });
});

describe('watches', () => {
  it('tells events as PlanSpec’s clients read them, and resumes behind Last-Event-ID', async () => {
    await ask('POST', '/namespaces/sse/goals', goal('first'));
    await resolved('sse', 'first', undefined);
    const live = await readStream('/namespaces/sse/goals/watch', (text) => text.includes('"second"'));
    expect(live.type).toBe('text/event-stream');
    await ask('POST', '/namespaces/sse/goals', goal('second'));
    const text = await live.done;
    const [added] = eventsOf(text);
    expect(added).toMatchObject({ type: 'ADDED', rev: expect.any(String), object: { metadata: { name: 'second' } } });
    expect(text).toContain(`id: ${added!.rev}\n`);
    expect(text).not.toContain('"first"');
    await ask('DELETE', '/namespaces/sse/goals/second');
    const resumed = await readStream('/goals/watch', (seen) => seen.includes('DELETED'), {
      'last-event-id': added!.rev,
    });
    const revisions = eventsOf(await resumed.done).map(({ rev }) => BigInt(rev));
    expect(revisions.every((each, index) => each > (revisions[index - 1] ?? BigInt(added!.rev)))).toBe(true);
  });

  it('tells lines as kubectl reads them: the objects there are, then changes, and those whose labels end to match', async () => {
    await ask('POST', '/namespaces/lines/goals', goal('a', { metadata: { labels: { on: 'yes' } } }));
    const path = '/namespaces/lines/goals?watch=true&sendInitialEvents=true&labelSelector=on%3Dyes';
    const { done } = await readStream(path, (text) => text.includes('DELETED'));
    await resolved('lines', 'a', undefined);
    await ask('PUT', '/namespaces/lines/goals/a', goal('a'));
    const lines = linesOf(await done);
    expect(lines[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
    const bookmark = lines.find(({ type }) => type === 'BOOKMARK');
    expect(bookmark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
    expect(lines.at(-1)?.type).toBe('DELETED');
  });

  it('gives rows of a table to those who ask for one, in lists and watches', async () => {
    await ask('POST', '/namespaces/tables/goals', goal('a'));
    const accept = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };
    const list = await ask('GET', '/namespaces/tables/goals', undefined, accept);
    expect(list.body).toMatchObject({ kind: 'Table', rows: [{ cells: expect.arrayContaining(['a']) }] });
    const { done } = await readStream('/namespaces/tables/goals?watch=1', (text) => text.includes('\n'), accept);
    expect(linesOf(await done)[0]).toMatchObject({ type: 'ADDED', object: { kind: 'Table' } });
    const ended = await readStream('/namespaces/tables/goals?watch=1&timeoutSeconds=1', () => false);
    expect(linesOf(await ended.done).length).toBeGreaterThan(0);
  });
});

it('describes itself as clients of Kubernetes ask: groups, resources, schemas', async () => {
  const document = async (path: string) => {
    const reply = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${owner}` } });
    return { status: reply.status, body: (await reply.json()) as Json };
  };
  expect((await document('/apis')).body.groups).toMatchObject([{ name: 'planspec.io' }]);
  const { body } = await document(ROOT);
  const names = body.resources.map((each: Json) => each.name);
  expect(names).toEqual(expect.arrayContaining(['namespaces', 'goals', 'goals/status', 'gates', 'gates/status']));
  const { serverRelativeURL } = (await document('/openapi/v3')).body.paths['apis/planspec.io/v1alpha1'];
  const { body: openApi } = await document(serverRelativeURL);
  const path = openApi.paths[`${ROOT}/namespaces/{namespace}/goals/{name}`];
  expect(path.patch.parameters.map((each: Json) => each.name)).toContain('fieldValidation');
  const { $ref } = path.get.responses[200].content['application/json'].schema;
  const schema = openApi.components.schemas[$ref.split('/').at(-1)];
  expect(schema['x-kubernetes-group-version-kind']).toEqual([
    { group: 'planspec.io', version: 'v1alpha1', kind: 'Goal' },
  ]);
  expect((await document('/openapi/v4')).body).toMatchObject({ kind: 'Status', code: 404 });
});

describe('access', () => {
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  it('describes itself to clients before OpenAPI v3 in protobuf, whose media type Go can read', async () => {
    const reply = await fetch(`${server.url}/openapi/v2`, { headers: { authorization: `Bearer ${owner}` } });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toMatch(/^application\/[^@]+\+protobuf$/);
    const text = Buffer.from(await reply.arrayBuffer()).toString('latin1');
    for (const kind of ['Goal', 'Plan', 'Capability', 'Binding', 'Execution', 'Gate']) {
      expect(text).toContain(`io.planspec.v1alpha1.${kind}`);
    }
    for (const asked of ['goals/{name}/again', 'executions/{name}/cancel', 'executions/{name}/retry']) {
      expect(text).toContain(`/namespaces/{namespace}/${asked}`);
    }
    expect((await ask('POST', '/apis', {})).status).toBe(405);
  });

  it('asks each caller for the role that the request needs', async () => {
    const path = '/namespaces/access/goals';
    expect((await ask('GET', path, undefined, as('nobody'))).body).toMatchObject({ kind: 'Status', code: 401 });
    expect((await ask('POST', path, goal('a'), as(TOKENS.viewer))).body).toMatchObject({ kind: 'Status', code: 403 });
    expect((await ask('GET', path, undefined, as(TOKENS.viewer))).status).toBe(200);
    const withStatus = goal('a', { status: { phase: 'Executing' } });
    expect((await ask('POST', path, withStatus, as(TOKENS.author))).status).toBe(403);
    expect((await ask('POST', path, goal('a'), as(TOKENS.author))).status).toBe(201);
    const status = { status: { phase: 'Executing' } };
    expect((await ask('PUT', `${path}/a/status`, status, as(TOKENS.author))).status).toBe(403);
    expect((await ask('PUT', `${path}/a/status`, status, as(TOKENS.approver))).status).toBe(403);
    expect((await ask('PUT', `${path}/a/status`, status, as(TOKENS.controller))).status).toBe(200);
    // Whoever runs plans needs not write them.
    const execution = { ...goal('e'), kind: 'Execution', spec: { planRef: { name: 'p' } } };
    expect((await ask('POST', path, goal('b'), as(TOKENS.operator))).status).toBe(403);
    expect((await ask('POST', '/namespaces/access/executions', execution, as(TOKENS.operator))).status).toBe(201);
    expect((await ask('DELETE', '/namespaces/access/executions/e', undefined, as(TOKENS.operator))).status).toBe(403);
    for (const asked of ['goals/a/again', 'executions/e/cancel', 'executions/e/retry']) {
      const to = `/namespaces/access/${asked}`;
      const needed = { reason: 'r', ...(asked.endsWith('retry') ? { node: 'n' } : {}) };
      for (const token of [TOKENS.viewer, TOKENS.controller, TOKENS.approver])
        expect((await ask('POST', to, needed, as(token))).status).toBe(403);
      for (const token of [TOKENS.author, TOKENS.operator]) {
        expect((await ask('POST', to, { why: 'r' }, as(token))).status).toBe(400);
        expect((await ask('POST', to, { ...needed, actor: 'ann' }, as(token))).status).toBe(403);
        // The goal has no plan that could be active; the execution is run by nobody whom the server knows.
        const { status, body } = await ask('POST', to, needed, as(token));
        expect({ status, reason: body.reason }).toEqual(
          asked === 'goals/a/again' ? { status: 409, reason: 'Conflict' } : { status: 400, reason: 'Invalid' },
        );
      }
    }
  });
});

it('keeps objects and events over a restart, and goes on where a watch was', async () => {
  await ask('POST', '/namespaces/restart/goals', goal('a'));
  const { body } = await resolved('restart', 'a', undefined);
  await server.stop();
  await start();
  owner = await ownerToken();
  await ask('POST', '/namespaces/restart/plans', plan('p', 'a'));
  const from = body.metadata.resourceVersion;
  const { done } = await readStream(
    `/namespaces/restart/goals?watch=true&resourceVersion=${from}`,
    (text) => text !== '',
  );
  expect(linesOf(await done)[0]).toMatchObject({
    type: 'MODIFIED',
    object: { status: { activePlanRef: { name: 'p' } } },
  });
}, 120_000);
