import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run';
import { parse } from 'yaml';
import { sha256 } from '../../../src/kernel/digest';
import { freePorts } from '../../../src/dev/free-ports';
import { startServer, type RunningServer } from '../../../src/server';
import { parseSettings } from '../../../src/settings/load-settings';
import { eventually } from '../../support/eventually';
import { runCli } from '../run-cli';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const API = 'apiVersion: planspec.io/v1alpha1';
const GOAL = `${API}\nkind: Goal\nmetadata: {name: ship}\nspec: {description: ship it}\n`;
const plan = (name: string, version: string, goal = 'ship') =>
  `${API}\nkind: Plan\nmetadata: {name: ${name}}\nspec: {description: how, goalRef: {name: ${goal}}, series: s, version: "${version}", graph: {nodes: [{id: build, kind: Task}]}}\n`;

let folder: string;
let server: RunningServer;
let port = 0;
let namespace = '';
let spaces = 0;

async function start(): Promise<void> {
  const tokens = ['amy', 'ben'].map((actor) => ({ hash: `sha256:${sha256(actor)}`, actor, roles: ['approver'] }));
  const document = {
    audit: { store: { folder: join(folder, 'store') }, stdout: false },
    server: { port },
    access: { tokens },
  };
  const settings = parseSettings(document as never, { file: 'test' }, folder);
  server = await startServer({ settings, baseDir: folder }, { worker: false, env: {}, logger: silent as never });
  port = Number(new URL(server.url).port);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gate-plans-server-'));
  await start();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  namespace = `space-${(spaces += 1)}`;
});

/** The embedded store's token is a new one with each process that holds it. */
const env = () => ({
  GATE_SERVER: server.url,
  GATE_SERVER_TOKEN: readFileSync(join(folder, 'store', 'owner.token'), 'utf8'),
});
const plans = (...args: string[]) => runCli(folder, ['plans', ...args], env());
const here = (...args: string[]) => plans(...args, '-n', namespace);
const file = (name: string, ...documents: string[]): string => {
  writeFileSync(join(folder, name), documents.join('---\n'));
  return name;
};
const resolved = (name: string) =>
  eventually(`goal ship to have the plan ${name}`, async () => {
    const { stdout } = await here('get', 'goal', 'ship', '-o', 'json');
    return JSON.parse(stdout).status?.activePlanRef?.name === name;
  });

describe('gate plans approve and reject', () => {
  const gate = (name: string, spec = '') =>
    `${API}\nkind: Gate\nmetadata: {name: ${name}}\nspec: {gateType: approval, targetRef: {kind: Plan, name: one}${spec}}\n`;
  const as = (actor: string, ...args: string[]) =>
    runCli(folder, ['plans', ...args, '-n', namespace], { ...env(), GATE_SERVER_TOKEN: actor });
  const lines = async (reply: ReturnType<typeof here>) => (await reply).stdout;

  it('approvals of different tokens add up, and the same one again changes nothing', async () => {
    await here('apply', '-f', file('gate.yaml', gate('live', ', requiredApprovers: 2')));
    expect(await lines(as('amy', 'approve', 'live'))).toBe(
      `Gate ${namespace}/live is Waiting: approved by amy, 1 of 2\n`,
    );
    expect(await lines(as('amy', 'approve', 'live'))).toMatch(/1 of 2 \(unchanged\)\n$/);
    const last = await as('ben', 'approve', 'live', '--reason', 'quiet', '-o', 'json');
    expect(JSON.parse(last.stdout)).toMatchObject({
      changed: true,
      gate: { status: { phase: 'Approved', resolution: { actors: ['amy', 'ben'], comment: 'quiet' } } },
    });
    expect(await as('amy', 'reject', 'live')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('approved by amy, ben at'),
    });
  });

  it('two who approve at the same time are both counted', async () => {
    await here('apply', '-f', file('gate.yaml', gate('both', ', requiredApprovers: 4')));
    const all = ['a', 'b', 'c', 'd'].map((actor) => here('approve', 'both', '--actor', actor));
    for (const reply of await Promise.all(all)) expect(reply).toMatchObject({ code: 0, stderr: '' });
    expect(await lines(here('approve', 'both', '--actor', 'a'))).toMatch(/is Approved by .*\(unchanged\)\n$/);
  });

  it('a rejection needs a reviewer, and a token speaks for no one else', async () => {
    await here('apply', '-f', file('gate.yaml', gate('mine', ', reviewers: [amy]')));
    expect(await as('ben', 'reject', 'mine')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected one of its reviewers amy, got ben'),
    });
    expect(await as('ben', 'reject', 'mine', '--actor', 'amy')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --actor to be ben, whose token this is, got amy'),
    });
    const { items } = JSON.parse((await here('get', 'gates', '-o', 'json')).stdout);
    const [mine] = items;
    const forged = {
      ...mine,
      status: {
        phase: 'Approved',
        decidedGeneration: 1,
        resolution: { outcome: 'approved', actors: ['amy'], timestamp: '2026-11-27T10:00:00Z' },
      },
    };
    const reply = await fetch(`${server.url}/apis/planspec.io/v1alpha1/namespaces/${namespace}/gates/mine/status`, {
      method: 'PUT',
      headers: { authorization: 'Bearer ben', 'content-type': 'application/json' },
      body: JSON.stringify(forged),
    });
    expect(reply.status).toBe(400);
    expect(await reply.text()).toContain('but ben, whose token this is');
    expect(await lines(as('amy', 'reject', 'mine'))).toBe(`Gate ${namespace}/mine is Rejected by amy\n`);
  });

  it('a gate that does not exist is told with the nearest one', async () => {
    await here('apply', '-f', file('gate.yaml', gate('go-live')));
    expect(await here('approve', 'go-liv')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean go-live?'),
    });
  });
});

describe('gate plans, on the server', () => {
  it('apply says created, updated or unchanged of each object, and a dry run stores nothing', async () => {
    const path = file('two.yaml', GOAL, plan('one', '1'));
    const dry = await here('apply', '-f', path, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toBe(`Goal ${namespace}/ship created (dry run)\nPlan ${namespace}/one created (dry run)\n`);
    expect((await here('get', 'goals')).stdout).toBe(`no goals in namespace ${namespace}\n`);
    expect((await here('apply', '-f', path)).stdout).toMatch(/^Goal \S+ created\nPlan \S+ created\n$/);
    file('two.yaml', GOAL, plan('one', '2'));
    const { stdout } = await here('apply', '-f', path, '-o', 'json');
    expect(JSON.parse(stdout)).toEqual({
      dry_run: false,
      applied: [
        { kind: 'Goal', namespace, name: 'ship', action: 'unchanged' },
        { kind: 'Plan', namespace, name: 'one', action: 'updated' },
      ],
    });
  });

  it('apply of objects of several namespaces stores none when one is refused', async () => {
    const other = `${namespace}-b`;
    const carrying = GOAL.replace('{name: ship}', `{name: ship, namespace: ${other}, resourceVersion: "1"}`);
    const refused = await here('apply', '-f', file('refused.yaml', GOAL, carrying), '-o', 'json');
    expect(refused.code).toBe(2);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { type: 'RevisionConflict', message: expect.stringContaining('Goal/ship') },
    });
    expect((await here('get', 'goals')).stdout).toBe(`no goals in namespace ${namespace}\n`);
  });

  it('run refuses a name that an execution has, as a conflict', async () => {
    const taken = `${API}\nkind: Execution\nmetadata: {name: taken}\nspec: {planRef: {name: one}}\n`;
    await here('apply', '-f', file('taken.yaml', GOAL, plan('one', '1'), taken));
    await resolved('one');
    const refused = await here('run', 'ship', '--name', 'taken', '-o', 'json');
    expect([refused.code, JSON.parse(refused.stdout).error]).toMatchObject([
      2,
      { type: 'RevisionConflict', message: expect.stringContaining('executions "taken" already exists') },
    ]);
  });

  it('get prints a table, JSON or YAML, of one namespace or all', async () => {
    await here('apply', '-f', file('get.yaml', GOAL, plan('one', '1'), plan('two', '2')));
    await resolved('two');
    expect((await here('get', 'goals')).stdout).toMatch(/^NAME +PHASE +ACTIVE PLAN +AGE\nship +Ready +two +\d+s\n$/);
    const yaml = parse((await here('get', 'plans', '-o', 'yaml')).stdout);
    expect(yaml).toMatchObject({ kind: 'PlanList', items: [{ spec: { version: '1' } }, { spec: { version: '2' } }] });
    const all = JSON.parse((await plans('get', 'Plan', '-A', '-o', 'json')).stdout);
    expect(all.items.filter((each: typeof yaml) => each.metadata.namespace === namespace)).toEqual(yaml.items);
    expect((await plans('get', 'goals', '-A')).stdout).toMatch(new RegExp(`^NAMESPACE.*\n(.*\n)*${namespace} +ship `));
  });

  it('explain, why and graph answer from the server', async () => {
    await here('apply', '-f', file('why.yaml', GOAL, plan('one', '1'), plan('two', '2')));
    await resolved('two');
    expect((await here('explain', 'ship')).stdout).toContain(`Goal ${namespace}/ship: active plan two\n`);
    expect((await here('why', 'ship', 'one')).stdout).toContain('Plan one is not the active plan');
    expect((await here('why', 'ship', 'none')).stdout).toContain('there is no such plan');
    expect((await here('graph', 'two')).stdout).toBe('build  Task\n');
    expect(await here('why', 'ship', 'one', '--server', server.url, '-f', 'why.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected --file or --server, got both'),
    });
  });

  it('diff shows what apply would change, and stores nothing', async () => {
    const path = file('diff.yaml', GOAL, plan('one', '1'));
    expect(await here('diff', '-f', path)).toMatchObject({
      code: 1,
      stdout: `Goal ${namespace}/ship would be created\nPlan ${namespace}/one would be created\n`,
    });
    await here('apply', '-f', path);
    expect(await here('diff', '-f', path)).toMatchObject({ code: 0, stdout: 'no difference\n' });
    file('diff.yaml', GOAL, plan('one', '3'));
    expect(await here('diff', '-f', path)).toMatchObject({
      code: 1,
      stdout: `Plan ${namespace}/one would be updated\n  spec.version: "1" → "3"\n`,
    });
    const { stdout } = await here('diff', '-f', path, '-o', 'json');
    expect(JSON.parse(stdout)).toEqual({
      objects: [
        {
          kind: 'Plan',
          namespace,
          name: 'one',
          action: 'updated',
          changes: [{ path: 'spec.version', a: '1', b: '3' }],
        },
      ],
    });
  });

  it('delete takes names or files, and names each object that does not exist', async () => {
    const path = file('gone.yaml', GOAL, plan('one', '1'), plan('canary', '2'));
    await here('apply', '-f', path);
    expect((await here('delete', 'plan', 'one', '--dry-run')).stdout).toBe(`Plan ${namespace}/one deleted (dry run)\n`);
    const some = await here('delete', 'plans', 'one', 'canry', '-o', 'json');
    expect(some.code).toBe(2);
    expect(JSON.parse(some.stdout).error).toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('is named canry; did you mean canary?'),
      result: { deleted: [{ kind: 'Plan', namespace, name: 'one' }] },
    });
    expect((await here('delete', '-f', path)).stdout).toBe(
      `Plan ${namespace}/canary deleted\nGoal ${namespace}/ship deleted\n`,
    );
  });

  it('watch tells objects and changes over a restart of the server, whose embedded store has another token then', async () => {
    await here('apply', '-f', file('watch.yaml', GOAL));
    const settings = { audit: { store: { folder: join(folder, 'store') } }, server: { port } };
    writeFileSync(join(folder, 'watching.json'), JSON.stringify(settings));
    const end = new AbortController();
    let stdout = '';
    let stderr = '';
    const args = ['plans', 'watch', 'plans', '-n', namespace, '-o', 'json', '--settings', 'watching.json'];
    const { GATE_SERVER: _server, GATE_SERVER_TOKEN: _token, ...others } = process.env;
    const watching = run(args, {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      env: { ...others, XDG_DATA_HOME: folder },
      cwd: folder,
      signal: end.signal,
    });
    const told = (): string[] =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .map(({ type, object }) => `${type} ${object.metadata.name}`);
    const tells = (wanted: string) => eventually(`the watch to tell ${wanted}`, () => told().includes(wanted));
    await here('apply', '-f', file('one.yaml', plan('one', '1')));
    await tells('ADDED one');
    await server.stop();
    await eventually('the watch to tell of the lost server', () => stderr.includes('trying again'));
    await start();
    await here('apply', '-f', file('later.yaml', plan('later', '2')));
    await tells('ADDED later');
    expect(stderr).toContain('the server answers again');
    expect(told()).toEqual(['ADDED one', 'ADDED later']);
    end.abort();
    expect(await watching).toBe(0);
    const table = runCli(folder, ['plans', 'watch', 'plans', '-n', namespace, '--for', '3s'], env());
    await here('delete', 'plan', 'one');
    expect(await table).toMatchObject({ code: 0, stdout: expect.stringMatching(/^EVENT +NAME +PHASE /) });
  });

  it.each([
    [['get', 'gaols'], 'Did you mean goals?'],
    [['get', 'goal', 'ship', '-A'], 'expected a name or --all-namespaces, got both'],
    [['delete'], 'expected a kind with at least one name, or --file'],
    [['get', 'goal', 'sip'], 'no goal in namespace default of the server at http'],
    [['apply', '-f', 'missing.yaml'], 'missing.yaml'],
  ])('a wrong command line is told: %j', async (args, message) => {
    expect(await plans(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });

  it.each([
    [['get', 'goals'], {}],
    [['explain', 'ship'], {}],
    [['watch', 'goals'], {}],
  ])('a server that does not answer is named with its address: %j', async (args) => {
    const [closed] = await freePorts(1);
    const url = `http://127.0.0.1:${closed}`;
    const reply = await runCli(folder, ['plans', ...args, '-o', 'json'], { GATE_SERVER: `${url}/` });
    expect(reply.code).toBe(2);
    expect(JSON.parse(reply.stdout).error).toMatchObject({
      type: 'StoreUnavailable',
      message: `The server of plans at ${url} refuses connections: nothing listens there; gate server starts one`,
    });
  });

  it('a wrong token is AccessDenied', async () => {
    const reply = await runCli(folder, ['plans', 'get', 'goals'], { ...env(), GATE_SERVER_TOKEN: 'wrong' });
    expect(reply).toMatchObject({ code: 2, stderr: expect.stringContaining('AccessDenied') });
  });
});
