import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { startNodeChild, type NodeChild } from '../../src/dev/child-process';
import { startShardManager, type ShardManagerServer } from '../../src/dev/shard-manager';
import { workflowIdOf } from '../../src/kernel/names';
import type { Execution } from '../../src/plans/kinds/execution';
import { startHttpReceiver, type HttpReceiver } from '../fakes/http-receiver';
import { CALLER, ROOT, SHORT_STEPS, startGateHarness, type GateHarness } from '../support/gate-harness';
import { eventually } from '../support/temporal-env';

const API = '/apis/planspec.io/v1alpha1';
const WAITING = ['--wait', '--timeout', '5m'];
type Json = Record<string, unknown>;

/** Real processes over one PGlite and one Temporal server: `gate server` as a child, from the built package. */
describe('executions of plans', () => {
  let gate: GateHarness;
  let receiver: HttpReceiver;
  let shards: ShardManagerServer;
  let server: NodeChild;
  let url: string;
  let count = 0;
  let namespace: string;

  const startServer = async (): Promise<void> => {
    server = await startNodeChild(join(ROOT, 'dist', 'cli', 'main.js'), {
      args: ['server', '--settings', gate.settingsFile],
      env: { ...gate.env, GATE_READY_LINE: '1' },
      logFile: join(gate.folder, 'server.log'),
    });
    url = server.ready.url as string;
  };
  beforeAll(async () => {
    receiver = await startHttpReceiver();
    shards = await startShardManager({ moveMs: 100 });
    gate = await startGateHarness({
      settings: { server: { port: 0 }, shards: { manager: { url: shards.url }, execution: { pollEvery: '50ms' } } },
      release: SHORT_STEPS,
    });
    await startServer();
  });
  afterAll(async () => {
    await server?.stop();
    await gate?.stop();
    await receiver?.close();
    await shards?.close();
  });
  beforeEach(() => {
    count += 1;
    namespace = `ns${count}`;
    receiver.answers.length = receiver.requests.length = 0;
    gate.heal();
  });

  async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
    const reply = await fetch(`${url}${API}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, body: (await reply.json()) as Json };
  }
  const objectOf = (kind: string, name: string, spec: Json, metadata: Json = {}): Json => ({
    apiVersion: 'planspec.io/v1alpha1',
    kind,
    metadata: { name, namespace, ...metadata },
    spec,
  });
  const task = (id: string, more: Json = {}): Json => ({
    id,
    kind: 'Task',
    capabilityRefs: [{ name: 'call' }],
    ...more,
  });
  const rule = (capability: string, provider: string, config: Json): Json => ({
    selector: { capabilityRef: { name: capability } },
    target: { provider, config },
  });
  const call = (config: Json = {}): Json =>
    rule('call', 'http', {
      method: 'PUT',
      url: `${receiver.url}/{{ stage }}`,
      body: { n: '{{ stage_attributes.n }}', tier: '{{ attributes.tier }}', risk: '{{ attributes.risk }}' },
      ...config,
    });
  const binding = (...rules: Json[]): Json => objectOf('Binding', 'calls', { rules });
  const apply = async (nodes: Json[], graph: Json = {}, metadata: Json = {}, rules = [call()]): Promise<void> => {
    const objects = [
      objectOf('Goal', 'ship', { description: 'shipped' }),
      objectOf(
        'Plan',
        'steps',
        { description: 'one after the other', goalRef: { name: 'ship' }, graph: { nodes, ...graph } },
        { labels: { tier: 'gold' }, ...metadata },
      ),
      binding(...rules),
    ];
    expect(await ask('POST', `/namespaces/${namespace}/apply`, objects)).toMatchObject({ status: 200 });
    await eventually('the goal to be resolved', async () => (await goal()).activePlanRef !== undefined);
  };
  const goal = async (): Promise<Json> => {
    const { body } = await ask('GET', `/namespaces/${namespace}/goals/ship`);
    return body.status as Json;
  };
  const execution = async (name: string): Promise<Execution> => {
    const { body } = await ask('GET', `/namespaces/${namespace}/executions/${name}`);
    return body as unknown as Execution;
  };
  const reaches = (name: string, phase: string): Promise<Execution> =>
    eventually(`execution ${name} to be ${phase}`, async () => {
      const found = await execution(name);
      return found.status?.phase === phase && found;
    });
  const start = (...args: string[]) =>
    gate.startCli('plans', 'run', 'ship', '-n', namespace, '--server', url, '--parameters', '{"risk": "low"}', ...args);
  const run = (...args: string[]) => start(...args).ended;
  const phases = ({ status }: Execution): Record<string, unknown> =>
    Object.fromEntries(Object.entries(status?.nodeStatuses ?? {}).map(([id, node]) => [id, node.phase]));
  const called = (): string[] => receiver.requests.map(({ path }) => path);

  it('gate plans run executes the active plan node by node through the gate, and its goal follows', async () => {
    const nodes = [
      task('last', { dependsOn: ['both'], inputs: { n: 3 } }),
      { id: 'both', kind: 'Group', children: ['first', 'second'] },
      task('second', { inputs: { n: 2 } }),
      task('first', { inputs: { n: 1 } }),
    ];
    await apply(nodes, { edges: [{ from: 'first', to: 'second', type: 'soft' }] });
    const { code, stdout } = await run('--name', 'go', ...WAITING);
    expect(stdout).toContain(`Execution ${namespace}/go is Succeeded`);
    expect(code).toBe(0);
    expect(called()).toEqual(['/first', '/second', '/last']);
    expect(receiver.bodies()).toEqual([1, 2, 3].map((n) => ({ n, tier: 'gold', risk: 'low' })));
    const { status, metadata } = await execution('go');
    expect(phases(await execution('go'))).toEqual(
      Object.fromEntries(['first', 'second', 'both', 'last'].map((id) => [id, 'Succeeded'])),
    );
    expect(status).toMatchObject({ runId: expect.any(String), specHash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(status!.completionTime! >= status!.startTime!).toBe(true);
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'Plan', name: 'steps' }]);
    expect(await goal()).toMatchObject({ phase: 'Succeeded', activePlanRef: { name: 'steps' } });

    const shown = await gate.json<Json>('status', `${namespace}.go`);
    expect(shown).toMatchObject({ state: 'done', deployment_id: `${namespace}.go` });
    const audit = await gate.json<{ stage: string; kind: string }[]>(
      'audit',
      'list',
      '--deployment',
      `${namespace}.go`,
    );
    const decided = audit.filter(({ kind }) => kind === 'decision').map(({ stage }) => stage);
    expect(decided.sort()).toEqual(['first', 'last', 'second']);
  });

  it('a node that the policy denies fails the execution, and what had not begun is skipped', async () => {
    gate.levels.setMetric('max_pending', { value: 3_100 });
    await apply(
      [task('first'), task('second', { dependsOn: ['first'] })].map((node) => ({ inputs: { n: 1 }, ...node })),
    );
    const { code, stdout } = await run('--name', 'go', ...WAITING);
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('max_pending limit exceeded') });
    expect(called()).toEqual([]);
    expect(phases(await execution('go'))).toEqual({ first: 'Failed', second: 'Skipped' });
    expect(await goal()).toMatchObject({ phase: 'Failed' });
  });

  it('an execution keeps the plan as it was, whatever becomes of it, and is ended by gate abort', async () => {
    gate.levels.setMetric('pending_delta', null as never);
    await apply([task('first', { inputs: { n: 1 } })]);
    expect(await run('--name', 'go', ...WAITING)).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`${namespace}/go is Blocked`),
    });
    expect(await goal()).toMatchObject({ phase: 'Executing' });
    const changed = { description: 'other', goalRef: { name: 'ship' }, graph: { nodes: [task('other')] } };
    expect(await ask('PUT', `/namespaces/${namespace}/plans/steps`, objectOf('Plan', 'steps', changed))).toMatchObject({
      status: 200,
    });
    await gate.reaches(`${namespace}.go`, 'paused');
    const of = (command: string, stage: string, ...more: string[]) =>
      gate.cli(command, `${namespace}.go`, '--stage', stage, ...more);
    for (const command of ['status', 'explain']) {
      expect(await of(command, 'first')).toMatchObject({ code: 3, stdout: expect.stringContaining('first') });
    }
    for (const command of ['status', 'explain', 'resume', 'override']) {
      const more = ['resume', 'override'].includes(command) ? CALLER : [];
      const { code, stdout } = await of(command, 'other', '-o', 'json', ...more);
      expect([code, JSON.parse(stdout)]).toMatchObject([
        2,
        { error: { type: 'NotFound', message: `stage other of deployment ${namespace}.go is not open; open: first` } },
      ]);
    }
    expect(await gate.cli('abort', `${namespace}.go`, ...CALLER)).toMatchObject({ code: 0 });
    const ended = await reaches('go', 'Cancelled');
    expect(phases(ended)).toEqual({ first: 'Cancelled' });
    expect(ended.status!.message).toContain('aborted by ann');
  });

  it('work that is asked for by a webhook calls back with its own token alone, also before its request is answered', async () => {
    const webhook = (id: string, more: Json = {}): Json => ({
      ...{ id, kind: 'External', externalRef: { type: 'webhook', webhookUrl: `${receiver.url}/${id}` } },
      ...more,
    });
    const callBack = async (
      { url: to, token }: { url: string; token: string },
      body: unknown,
      { method = 'POST', ...headers }: Record<string, string> = {},
    ): Promise<number> => {
      const reply = await fetch(to, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const { kind } = (await reply.json()) as { kind?: string };
      expect(kind).toBe(reply.ok ? undefined : 'Status');
      return reply.status;
    };
    const done = { state: 'succeeded', outputs: { id: 7 } };
    let early: Promise<number> | undefined;
    receiver.refuse = (body) => {
      const { node, callback } = JSON.parse(body) as { node: string; callback: { url: string; token: string } };
      if (node === 'early') early = callBack(callback, done);
      return undefined;
    };
    await apply([webhook('early'), webhook('late', { dependsOn: ['early'], inputs: { n: 1 }, outputs: ['id'] })]);
    const { ended } = start('--name', 'go', ...WAITING);
    await eventually('the second request', () => Promise.resolve(called().includes('/late')));
    receiver.refuse = () => undefined;
    expect(await early).toBe(200);
    const { callback, inputs } = receiver.bodies()[1] as unknown as {
      callback: { url: string; token: string };
      inputs: Json;
    };
    expect([inputs, new URL(callback.url).origin]).toEqual([{ n: 1 }, url]);
    const { url: to } = callback;
    const refusals = [
      await callBack({ ...callback, token: 'guess' }, done),
      await callBack(callback, done, { authorization: 'Basic Zzpn' }),
      await callBack({ ...callback, url: to.replace('/late', '/early') }, done),
      await callBack({ ...callback, url: `${to}/more` }, done),
      await callBack({ ...callback, url: to.replace('/late', '/%ff') }, done),
      await callBack(callback, done, { method: 'GET' }),
      await callBack(callback, done, { 'content-type': 'text/plain' }),
      await callBack(callback, ''),
      await callBack(callback, '{"state": "succeeded"'),
      await callBack(callback, { state: 'succeeded' }),
      await callBack(callback, `"${'x'.repeat(5_000_000)}"`),
    ];
    expect(refusals).toEqual([401, 401, 401, 404, 400, 405, 415, 400, 400, 400, 413]);
    expect(await callBack(callback, done)).toBe(200);
    expect(await ended).toMatchObject({ code: 0 });
    expect((await execution('go')).status?.nodeStatuses?.late?.outputs).toEqual({ id: 7 });
    expect(await callBack(callback, { state: 'failed' })).toBe(409);
  });

  it('a node whose criteria name facts of the gate waits for them, and what its action did is taken back in the end', async () => {
    const named = (fact: string, more: Json): Json => ({ type: 'custom', name: fact, fact, ...more });
    const well = [
      named('max_pending', { operator: 'lte', value: 800 }),
      named('region_health', { pointer: '/eu/status', value: 'green' }),
    ];
    const bad = [
      named('nothing', { value: 1, timeout: '1s', required: false }),
      named('max_pending', { operator: 'gt', value: 800, timeout: '1s' }),
    ];
    const nodes = [
      task('first', { inputs: { n: 1 }, acceptanceCriteria: well }),
      task('second', { inputs: { n: 2 }, dependsOn: ['first'], acceptanceCriteria: bad }),
    ];
    const compensation = { method: 'DELETE', url: `${receiver.url}/{{ stage }}` };
    await apply(nodes, {}, {}, [call({ compensation })]);
    expect(await run('--name', 'go', ...WAITING)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('criterion max_pending: expected fact max_pending gt 800'),
    });
    expect(receiver.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /first',
      'PUT /second',
      'DELETE /second',
    ]);
    const { status } = await execution('go');
    expect(status?.nodeStatuses).toMatchObject({
      first: { phase: 'Succeeded' },
      second: { phase: 'Failed', message: expect.stringMatching(/\(compensated\)$/) },
    });
    const unknown = named('max_pending', { operator: 'above', value: 1 });
    const plan = objectOf('Plan', 'wrong', {
      description: 'd',
      graph: { nodes: [task('a', { acceptanceCriteria: [unknown] })] },
    });
    expect(await ask('POST', `/namespaces/${namespace}/plans`, plan)).toMatchObject({ status: 400 });
  });

  it('a task whose provider is shard asks the shard manager of the worker, and is taken back there', async () => {
    const step = (id: string, more: Json): Json => task(id, { capabilityRefs: [{ name: id }], ...more });
    const nodes = [
      step('place', { inputs: { node: 'n1' }, outputs: ['changed'] }),
      step('move', { dependsOn: ['place'], outputs: ['operation'] }),
      step('drop', {
        dependsOn: ['place', 'move'],
        when: 'nodes.place.outputs.changed && nodes.move.outputs.operation.startsWith("op-")',
      }),
    ];
    const shard = { shard: 's6', compensate: true };
    await apply(nodes, {}, { annotations: { 'gate/on-failure': 'compensate' } }, [
      rule('place', 'shard', { ...shard, operation: 'add', to: '{{ stage_attributes.node }}' }),
      rule('move', 'shard', { ...shard, operation: 'move', from: 'n1', to: 'n3', within: '1m' }),
      // The manager refuses to remove the last replica.
      rule('drop', 'shard', { ...shard, operation: 'remove', from: 'n3' }),
    ]);
    const replicas = () => (shards.state().shards as Json[]).find(({ id }) => id === 's6')?.replicas;
    expect(replicas()).toEqual([]);
    expect(await run('--name', 'go', ...WAITING)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('n3 holds the last replica of s6'),
    });
    const { status } = await execution('go');
    expect(status?.nodeStatuses).toMatchObject({
      place: { phase: 'Cancelled', message: 'compensated' },
      move: { phase: 'Cancelled', message: 'compensated' },
      drop: { phase: 'Failed' },
    });
    expect(replicas()).toEqual([]);
    const keys = Object.keys(shards.requests().byKey).map((key) => key.slice(`${namespace}.go/`.length));
    expect(keys).toEqual(['place', 'move', 'drop', 'move/compensation', 'place/compensation']);
  });

  it('a goal that has ended is executed with the plan that wins now by gate plans run --again', async () => {
    await apply([task('first', { inputs: { n: 1 } })]);
    expect(await run('--name', 'one', ...WAITING)).toMatchObject({ code: 0 });
    const newer = {
      description: 'other',
      goalRef: { name: 'ship' },
      series: 's',
      version: '2',
      graph: { nodes: [task('other', { inputs: { n: 2 } })] },
    };
    const newPlan = objectOf('Plan', 'newer', newer, { labels: { tier: 'gold' } });
    expect(await ask('POST', `/namespaces/${namespace}/plans`, newPlan)).toMatchObject({ status: 201 });
    expect(await run('--name', 'two', ...WAITING)).toMatchObject({ code: 0 });
    expect(await run('--name', 'three', '--again', ...WAITING)).toMatchObject({ code: 0 });
    expect(called()).toEqual(['/first', '/first', '/other']);
    expect(await goal()).toMatchObject({ phase: 'Succeeded', activePlanRef: { name: 'newer' } });
  });

  it('a goal that is executed is not resolved again meanwhile', async () => {
    gate.levels.setMetric('pending_delta', null as never);
    await apply([task('first', { inputs: { n: 1 } })]);
    expect(await run('--name', 'go', ...WAITING)).toMatchObject({ code: 3 });
    expect(await run('--again', ...WAITING)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('goal ship is executed by go, which is Blocked'),
    });
    expect(await goal()).toMatchObject({ phase: 'Executing', activePlanRef: { name: 'steps' } });
    expect(await gate.cli('abort', `${namespace}.go`, ...CALLER)).toMatchObject({ code: 0 });
    await reaches('go', 'Cancelled');
  });

  it('a gate node waits until gate plans approve, and the audit log says who did what', async () => {
    await apply([
      { id: 'ask', kind: 'Gate', gateRef: { name: 'live' } },
      task('last', { inputs: { n: 1 }, dependsOn: ['ask'] }),
    ]);
    const spec = { gateType: 'approval', targetRef: { kind: 'Goal', name: 'ship' } };
    await ask('POST', `/namespaces/${namespace}/gates`, objectOf('Gate', 'live', spec));
    const running = start('--name', 'go', ...WAITING);
    await eventually('the gate to be named', () => running.said().includes('node ask waits for gate live'));
    expect((await execution('go')).status!.phase).toBe('Blocked');
    const approved = await gate.cli('plans', 'approve', 'live', '-n', namespace, '--server', url, '--actor', 'amy');
    expect(approved).toMatchObject({ code: 0, stdout: `Gate ${namespace}/live is Approved by amy\n` });
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(called()).toEqual(['/last']);
    const about = async (subject: string) =>
      gate.json<{ kind: string; actor: string; part: string }[]>(
        'audit',
        'list',
        '--domain',
        'plans',
        '--subject',
        subject,
      );
    await eventually('the record of the node', async () =>
      (await about(`execution/${namespace}/go`)).some(
        ({ kind, part, actor }) => kind === 'resolved' && part === 'ask' && actor === 'amy',
      ),
    );
    expect((await about(`gate/${namespace}/live`)).map(({ kind }) => kind).sort()).toEqual(['created', 'updated']);
    const explained = await gate.cli('explain', `${namespace}.go`);
    expect(explained.stdout).toMatch(
      /\nWho did what:\n {2}\S+ \S+Z {2}\S+ {2}created\n {2}\S+ \S+Z {2}amy {2}resolved ask /,
    );
    const { records } = await gate.json<{ records: { kind: string }[] }>('explain', `${namespace}.go`);
    expect(records.map(({ kind }) => kind)).toEqual(['created', 'resolved']);
    const exported = await gate.cli('audit', 'export', '--domain', 'plans', '--subject', `execution/${namespace}/go`);
    expect(exported).toMatchObject({ code: 0, stderr: '2 records\n' });
  });

  it('a server that is killed between two nodes is continued by the next one, and no call is made under a second key', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    await apply(
      ids.map((id, index) => task(id, { inputs: { n: index }, ...(index > 0 ? { dependsOn: [ids[index - 1]] } : {}) })),
    );
    expect(await run('--name', 'go')).toMatchObject({ code: 0 });
    await eventually('the second node', () => called().includes('/b'));
    await server.kill();
    await startServer();
    const { status } = await reaches('go', 'Succeeded');
    expect(status!.phase).toBe('Succeeded');
    expect([...new Set(called())]).toEqual(ids.map((id) => `/${id}`));
    const keys = receiver.requests.map(({ path, headers }) => [path, headers['idempotency-key']]);
    expect([...new Set(keys.map((each) => each.join(' ')))]).toEqual(ids.map((id) => `/${id} ${namespace}.go/${id}`));
  });

  it('a server that is killed while nodes are taken back is continued by the next one, under the same keys', async () => {
    const ids = ['a', 'b', 'c'];
    await apply(
      ids.map((id, index) => task(id, { inputs: { n: index }, ...(index > 0 ? { dependsOn: [ids[index - 1]] } : {}) })),
      {},
      { annotations: { 'gate/on-failure': 'compensate' } },
    );
    const compensation = { method: 'DELETE', url: `${receiver.url}/{{ stage }}` };
    expect(await ask('PUT', `/namespaces/${namespace}/bindings/calls`, binding(call({ compensation })))).toMatchObject({
      status: 200,
    });
    receiver.refuse = (body) => (body.includes('"n":2') ? 400 : undefined);
    // Both nodes and what the third left behind are answered; the first node to be taken back is not.
    receiver.answers.push(200, 200, 200, 'hang');
    expect(await run('--name', 'go')).toMatchObject({ code: 0 });
    const requests = () =>
      receiver.requests.map(({ method, path, headers }) => `${method} ${path} ${String(headers['idempotency-key'])}`);
    const undo = (id: string) => `DELETE /${id} ${namespace}.go/${id}/compensation`;
    await eventually('the first node to be taken back', () => requests().includes(undo('b')));
    await server.kill();
    await startServer();
    const ended = await reaches('go', 'Failed');
    receiver.refuse = () => undefined;
    expect(phases(ended)).toEqual({ a: 'Cancelled', b: 'Cancelled', c: 'Failed' });
    expect(ended.status!.message).toContain('; compensated: b, a');
    expect([...new Set(requests())]).toEqual([
      ...ids.map((id) => `PUT /${id} ${namespace}.go/${id}`),
      ...['c', 'b', 'a'].map(undo),
    ]);
    expect(requests().filter((each) => each === undo('b')).length).toBeGreaterThan(1);
  });

  it('a goal that is executed is not executed once more, and an execution that is terminated in Temporal fails', async () => {
    gate.levels.setMetric('pending_delta', null as never);
    await apply([task('first', { inputs: { n: 1 } })]);
    expect(await run('--name', 'go')).toMatchObject({ code: 0 });
    await reaches('go', 'Blocked');
    expect(await run('--name', 'again')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`goal ship is executed by go, which is Blocked`),
    });
    const { address, namespace: temporalNamespace } = gate.temporal;
    const connection = await Connection.connect({ address });
    const client = new Client({ connection, namespace: temporalNamespace });
    await client.workflow.getHandle(workflowIdOf(`${namespace}.go`)).terminate('by hand');
    await connection.close();
    const { status } = await reaches('go', 'Failed');
    expect(status!.message).toContain('its workflow was closed in Temporal (terminated)');
    await eventually('the goal to fail', async () => (await goal()).phase === 'Failed');
  });

  it('an execution that is deleted while it runs is cancelled, and its goal is no longer executing', async () => {
    gate.levels.setMetric('pending_delta', null as never);
    await apply([task('first', { inputs: { n: 1 } })]);
    expect(await run('--name', 'go')).toMatchObject({ code: 0 });
    await gate.reaches(`${namespace}.go`, 'paused');
    expect(await ask('DELETE', `/namespaces/${namespace}/executions/go`)).toMatchObject({ status: 200 });
    await gate.reaches(`${namespace}.go`, 'aborted');
    await eventually('the goal to fail', async () => (await goal()).phase === 'Failed');
    expect(called()).toEqual([]);
  });

  it('an execution that cannot be carried out whole is refused with every fault by name, and nothing is stored', async () => {
    const nodes = [
      task('first', { outputs: ['x'], when: 'now() == 1', inputs: {} }),
      { id: 'ask', kind: 'Gate', gateRef: { name: 'approval', namespace: 'other' } },
      { id: 'other', kind: 'Task' },
    ];
    await apply(nodes, {}, { annotations: { 'gate/on-failure': 'undo' } });
    const { code, stderr } = await run('--name', 'go');
    expect(code).toBe(2);
    for (const said of ['when', 'got one of other', 'gate/on-failure']) expect(stderr).toContain(said);
    expect(await ask('GET', `/namespaces/${namespace}/executions/go`)).toMatchObject({ status: 404 });
  });

  it('the status of an execution that the gate runs is nobody else’s, and one without a runtime says that it waits', async () => {
    await apply([task('first', { inputs: { n: 1 } })]);
    const spec = { planRef: { name: 'steps' } };
    const idle = await ask('POST', `/namespaces/${namespace}/executions`, objectOf('Execution', 'idle', spec));
    expect(idle).toMatchObject({ status: 201, body: { status: { phase: 'Pending', reason: 'NoRuntime' } } });
    expect(await run('--name', 'go', ...WAITING)).toMatchObject({ code: 0 });
    const status = { phase: 'Failed' };
    expect(
      await ask('PUT', `/namespaces/${namespace}/executions/go/status`, {
        ...objectOf('Execution', 'go', (await execution('go')).spec as Json),
        status,
      }),
    ).toMatchObject({ status: 400, body: { message: expect.stringContaining('the gate runs this execution') } });
    expect(await execution('idle')).toMatchObject({ status: { phase: 'Pending' } });
  });
});
