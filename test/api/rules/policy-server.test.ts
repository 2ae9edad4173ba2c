import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Code, ConnectError, createClient, type Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { run as runCommand } from '../../../src/cli/run';
import { METHOD_ROLES } from '../../../src/api/rules/policy-service';
import { ROLES, type Role } from '../../../src/api/rpc/role';
import { sha256 } from '../../../src/kernel/digest';
import { BadRequestSchema, ErrorInfoSchema } from '../../../src/proto/google/rpc/error_details_pb';
import { PolicyService } from '../../../src/proto/planning_engine/rules/v1/policy_service_pb';
import { startServer, type RunningServer } from '../../../src/server';
import { eventually } from '../../support/eventually';
import { canHaveTool, toolFolder } from '../../support/tool-folder';
import { parseSettings } from '../../../src/settings/load-settings';

const run = promisify(execFile);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const POLICY = {
  version: '1.0',
  name: 'cool',
  type: 'placement',
  conditions: { metric: 'node.cpu_usage', operator: 'lt', value: 80 },
  actions: { placement: { strategy: 'least_loaded' } },
};
const stateNow = () => ({
  observed_at: new Date().toISOString(),
  nodes: [
    { id: 'n1', cpu_usage: 40 },
    { id: 'n2', cpu_usage: 90 },
  ],
  shards: [{ id: 's1', size_bytes: 1, replicas: [] }],
});
const reason = 'as discussed';

let folder: string;
const servers: RunningServer[] = [];

async function start(name: string, settings: object = {}): Promise<string> {
  const document = {
    audit: { store: { folder: join(folder, name) }, stdout: false },
    server: { port: 0 },
    // Nothing listens there.
    temporal: { address: '127.0.0.1:1' },
    ...settings,
  };
  const loaded = { settings: parseSettings(document as never, { file: 'test' }, folder), baseDir: folder };
  const server = await startServer(loaded, { worker: false, env: {}, logger: silent as never });
  servers.push(server);
  return server.url;
}

function clientOf(baseUrl: string, token?: string): Client<typeof PolicyService> {
  const withToken = (next: (request: never) => Promise<never>) => (request: { header: Headers }) => {
    if (token !== undefined) request.header.set('authorization', `Bearer ${token}`);
    return next(request as never);
  };
  return createClient(PolicyService, createGrpcTransport({ baseUrl, interceptors: [withToken as never] }));
}

async function codeOf(call: Promise<unknown>): Promise<Code | 'ok'> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'policy-server-'));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

describe('the policy service on loopback without tokens', () => {
  let url: string;
  let client: Client<typeof PolicyService>;
  beforeAll(async () => {
    url = await start('open');
    client = clientOf(url);
  });

  it('keeps a policy through its life, each change as a revision and an event', async () => {
    const { policy } = await client.createPolicy({ definition: POLICY, reason, actor: 'ann' });
    expect(policy).toMatchObject({ name: 'cool', revision: 1, definition: POLICY });
    const which = { case: 'policyName', value: 'cool' } as const;
    const changed = { ...POLICY, priority: 7 };
    const updated = await client.updatePolicy({ policy: which, definition: changed, revision: 1, reason });
    expect(updated.policy).toMatchObject({ revision: 2, priority: 7 });
    expect((await client.diffPolicyVersions({ policy: which, fromRevision: 1, toRevision: 2 })).changes).toMatchObject([
      { path: 'priority', after: { kind: { case: 'numberValue', value: 7 } } },
    ]);
    const back = await client.rollbackPolicy({ policy: which, toRevision: 1, revision: 2, reason });
    expect(back.policy).toMatchObject({ revision: 3, definition: POLICY });
    const { versions, nextPageToken } = await client.listPolicyVersions({ policy: which, pageSize: 2 });
    expect(versions.map(({ revision, change }) => [revision, change])).toEqual([
      [3, 'rollback'],
      [2, 'updated'],
    ]);
    const rest = await client.listPolicyVersions({ policy: which, pageSize: 2, pageToken: nextPageToken });
    expect(rest.versions.map(({ actor }) => actor)).toEqual(['ann']);
    expect((await client.listPolicies({ type: 'placement' })).policies.map(({ name }) => name)).toContain('cool');
    expect((await client.listPolicies({ enabled: false })).policies).toEqual([]);
    const { events } = await client.getPolicyExecutionHistory({ policy: which });
    expect(events.map(({ eventType }) => eventType)).toEqual(['rollback', 'updated', 'created']);
    await client.deletePolicy({ policy: which, revision: 3, reason });
    expect(await codeOf(client.getPolicy({ policy: which }))).toBe(Code.NotFound);
    const byId = await client.getPolicy({ policy: { case: 'policyId', value: policy!.id } });
    expect(byId.policy?.deleteTime).toBeDefined();
  });

  it.each([
    ['a key twice', '{"operation": "place_shard", "operation": "balance"}', 'the same key is twice in one object'],
    ['a key twice within', '{"state": {"nodes": [{"id": "n1", "id": "n2"}]}}', 'the same key is twice in one object'],
    ['a number that would be rounded', '{"state": {"size": 9007199254740993}}', '9007199254740993'],
    ['a reserved key', '{"state": {"__proto__": {}}}', 'reserved __proto__'],
    ['no JSON', '{"state": ', 'expected JSON, but it cannot be parsed'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'expected a body in UTF-8'],
  ])('refuses a body with %s', async (_what, body, message) => {
    const response = await fetch(`${url}/planning_engine.rules.v1.PolicyService/EvaluatePolicy`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      ...{ code: 'invalid_argument', message: expect.stringContaining(message) },
    });
  });

  it('evaluates what applies to an operation, with a tree, candidates and actions', async () => {
    await client.createPolicy({ definition: { ...POLICY, name: 'evaluated' }, reason });
    const question = { operation: 'place_shard', state: stateNow() };
    const { results, actions, policies, stateDigest } = await client.evaluatePolicy({
      ...question,
      record: true,
      reason,
    });
    expect(results).toMatchObject([{ policy: 'evaluated', matched: true, outcome: 'true' }]);
    expect(results[0]!.candidates).toMatchObject([
      { node: 'n1', kept: true },
      { node: 'n2', kept: false },
    ]);
    expect(actions).toHaveLength(1);
    expect(policies).toMatchObject([{ name: 'evaluated', revision: 1 }]);
    expect(stateDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('simulates the stored policies, with a policy that is tried in the place of a stored one', async () => {
    const definition = { ...POLICY, name: 'simulated' };
    const { policy } = await client.createPolicy({ definition, reason });
    const [, hot] = stateNow().nodes;
    const question = { policies: ['simulated'], operation: 'place_shard', state: stateNow() };
    const stepsOf = async (more: object) => {
      const { report } = await client.simulatePolicies({ ...question, ...more });
      const runs = report!.runs as unknown as { name: string; additions: number; steps: { to: string }[] }[];
      return runs.map(({ name, steps }) => [name, ...steps.map(({ to }) => to)]);
    };
    expect(await stepsOf({})).toEqual([['stored', 'n1']]);
    const tried = { ...definition, conditions: { metric: 'node.cpu_usage', operator: 'gte', value: hot!.cpu_usage } };
    expect(await stepsOf({ definitions: [tried] })).toEqual([
      ['stored', 'n1'],
      ['tried', 'n2'],
    ]);
    const without = { without: ['n1'], add: [{ id: 'n9', cpu_usage: 5, count: 1 }] };
    expect(await stepsOf({ options: without })).toEqual([['stored', 'n9']]);
    expect(await codeOf(client.simulatePolicies({ ...question, options: { witout: [] } }))).toBe(Code.InvalidArgument);
    // Only what was stored counts afterwards.
    expect((await client.getPolicy({ policy: { case: 'policyId', value: policy!.id } })).policy?.revision).toBe(1);
  });

  it('says with which code, type and place a call fails', async () => {
    const which = { case: 'policyName', value: 'taken' } as const;
    await client.createPolicy({ definition: { ...POLICY, name: 'taken' }, reason });
    const failed = async (call: Promise<unknown>) => {
      const error = await call.then(
        () => undefined,
        (thrown: unknown) => ConnectError.from(thrown),
      );
      return [error?.code, error?.findDetails(ErrorInfoSchema)[0]?.reason];
    };
    expect(await failed(client.createPolicy({ definition: { ...POLICY, name: 'taken' }, reason }))).toEqual([
      Code.AlreadyExists,
      'RULE_NAME_TAKEN',
    ]);
    const stale = { policy: which, definition: { ...POLICY, name: 'taken', priority: 3 }, revision: 9, reason };
    expect(await failed(client.updatePolicy(stale))).toEqual([Code.Aborted, 'REVISION_CONFLICT']);
    expect(await failed(client.getPolicy({}))).toEqual([Code.InvalidArgument, 'CONFIG_INVALID']);
    const old = { ...stateNow(), observed_at: '2020-01-01T00:00:00Z' };
    expect(await failed(client.evaluatePolicy({ operation: 'place_shard', state: old }))).toEqual([
      Code.FailedPrecondition,
      'FACT_STALE',
    ]);
    const execution = { policies: ['taken'], reason };
    expect(await failed(client.executePolicy(execution))).toEqual([Code.FailedPrecondition, undefined]);
    await expect(client.executePolicy(execution)).rejects.toThrow(/Temporal at 127\.0\.0\.1:1 .*with the id/);
    expect(await failed(client.executePolicy({ ...execution, id: 'x' }))).toEqual([
      Code.InvalidArgument,
      'CONFIG_INVALID',
    ]);
    const wrong = { ...POLICY, name: 'wrong', conditions: { all: [{ metric: 'node.cpu_usage', operator: 'ltt' }] } };
    const error = await client.createPolicy({ definition: wrong, reason }).catch((thrown: ConnectError) => thrown);
    const [bad] = (error as ConnectError).findDetails(BadRequestSchema);
    expect(bad?.fieldViolations.map(({ field }) => field)).toContain('definition.conditions.all[0].operator');
    const rounded = { ...POLICY, name: 'big', conditions: { ...POLICY.conditions, value: 2 ** 53 } };
    expect(await codeOf(client.createPolicy({ definition: rounded, reason }))).toBe(Code.InvalidArgument);
  });

  it('is what the commands of gate rules apply, get, list, history, rollback and delete ask', async () => {
    const file = join(folder, 'policies.json');
    const gate = async (...argv: string[]) => {
      let [stdout, stderr] = ['', ''];
      const code = await runCommand(['rules', ...argv, '--server', url, '-o', 'json'], {
        stdout: { write: (text: string) => ((stdout += text), true) },
        stderr: { write: (text: string) => ((stderr += text), true) },
        env: {},
        cwd: folder,
        signal: new AbortController().signal,
      } as never);
      return { code, stderr, result: JSON.parse(stdout) as Record<string, never> };
    };
    const why = ['--actor', 'ann', '--reason', reason];
    await writeFile(file, JSON.stringify([{ ...POLICY, name: 'from-file' }]));
    const first = { name: 'from-file', revision: 1, change: 'created' };
    expect((await gate('apply', '-f', file, ...why)).result).toEqual({ applied: [first] });
    expect((await gate('apply', '-f', file, ...why)).result).toEqual({ applied: [{ ...first, change: 'unchanged' }] });
    await writeFile(file, JSON.stringify([{ ...POLICY, name: 'from-file', priority: 4 }]));
    expect((await gate('apply', '-f', file, ...why)).result).toMatchObject({ applied: [{ revision: 2 }] });
    expect((await gate('list', '--prefix', 'from-')).result).toMatchObject({ policies: [{ name: 'from-file' }] });
    expect((await gate('history', 'from-file', '--diff', '1..2')).result).toEqual({
      changes: [{ path: 'priority', after: '4' }],
    });
    await gate('rollback', 'from-file', '--to', '1', ...why);
    expect((await gate('get', 'from-file')).result).toMatchObject({ revision: 3, definition: { name: 'from-file' } });
    expect((await gate('history', 'from-file')).result).toMatchObject({
      versions: [{ change: 'rollback', actor: 'ann' }, { revision: 2 }, { revision: 1 }],
    });
    expect((await gate('pause', 'from-file', ...why)).result).toEqual({ changed: true });
    expect((await gate('pause', 'from-file', ...why)).result).toEqual({ changed: false });
    expect((await gate('pause', '--all', ...why)).result).toEqual({ changed: true });
    const pause = { actor: 'ann', reason, all: false };
    expect((await gate('list', '--prefix', 'from-')).result).toMatchObject({ policies: [{ pause }] });
    expect((await gate('unpause', 'from-file', ...why)).result).toEqual({ changed: true });
    expect((await gate('get', 'from-file')).result).toMatchObject({ pause: { ...pause, all: true } });
    expect((await gate('unpause', '--all', ...why)).result).toEqual({ changed: true });
    expect((await gate('get', 'from-file')).result).not.toHaveProperty('pause');
    expect((await gate('pause', ...why)).code).toBe(2);
    expect((await gate('pause', 'none', ...why)).result).toMatchObject({ error: { type: 'RuleNotFound' } });
    expect((await gate('delete', 'from-file', ...why)).code).toBe(0);
    const gone = await gate('get', 'from-file');
    expect(gone).toMatchObject({ code: 2, result: { error: { type: 'RuleNotFound' } } });
    await writeFile(file, JSON.stringify([{ ...POLICY, name: 'wrong', type: 'placment' }]));
    const wrong = await gate('apply', '-f', file, ...why);
    expect(wrong.result).toMatchObject({
      error: {
        type: 'ConfigInvalid',
        faults: [{ where: expect.stringMatching(/^policies\.json:1:\d+ type$/) }],
        result: { applied: [] },
      },
    });
    // What a file has out of order is stored in order, and fragments under the name of their file.
    const including = { ...POLICY, name: 'including', conditions: { include: 'cool' }, dependsOn: ['needed'] };
    const documents = [including, { ...POLICY, name: 'needed' }, { fragments: { cool: POLICY.conditions } }];
    await writeFile(file, JSON.stringify(documents));
    const names = ['policies.json', 'needed', 'including'];
    expect((await gate('apply', '-f', file, ...why)).result).toMatchObject({
      applied: names.map((name) => ({ name })),
    });
    expect((await gate('apply', '-f', file, ...why)).result).toMatchObject({
      applied: names.map((name) => ({ name, change: 'unchanged' })),
    });
    await writeFile(file, JSON.stringify([{ ...including, conditions: { include: 'warm' } }]));
    const { stderr } = await gate('apply', '-f', file, ...why);
    const place =
      /^gate: ConfigInvalid: policies\.json:1:(\d+): including: conditions: unknown fragment warm; known are cool\n$/;
    expect(stderr).toMatch(place);
    const text = JSON.stringify([{ ...including, conditions: { include: 'warm' } }]);
    expect(text.slice(Number(place.exec(stderr)![1]) - 1)).toMatch(/^"conditions"/);
  });

  const withGrpcurl = canHaveTool('grpcurl') ? it : it.skip;
  it('runs the commands of the guide with curl as printed', () => runGuide(''));
  withGrpcurl('runs the commands of the guide with grpcurl as printed', () => runGuide('grpcurl'));
  async function runGuide(wanted: '' | 'grpcurl'): Promise<void> {
    const guide = await readFile(join(__dirname, '../../../docs/rules-server.md'), 'utf8');
    const blocks = [...guide.matchAll(/<!-- run ?(\w*) -->\n\n```sh\n([\s\S]*?)```/g)];
    expect(blocks).toHaveLength(2);
    const [, , script = ''] = blocks.find(([, tool]) => tool === wanted)!;
    const folder = wanted === '' ? '' : await toolFolder(wanted);
    const here = script.replaceAll('127.0.0.1:8080', new URL(url).host);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` };
    const { stdout } = await run('sh', ['-ec', here], { env });
    expect(stdout).toContain('cool-nodes-first');
    expect(stdout).not.toContain('"code"');
  }
});

describe('the commands of gate rules', () => {
  const list = async (server: string) => {
    let stderr = '';
    const write = { write: (text: string) => ((stderr += text), true) };
    const io = { stdout: write, stderr: write, env: {}, cwd: folder, signal: new AbortController().signal };
    const code = await runCommand(['rules', 'list', '--server', server], io as never);
    return { code, stderr };
  };

  it('tell a server that they do not trust, and one that is another, by its address', async () => {
    const tls = (name: string) => join(__dirname, '..', '..', 'fixtures', 'tls', name);
    const files = { certFile: tls('server.pem'), keyFile: tls('server.key.pem') };
    const secure = await start('secure', { server: { port: 0, tls: files } });
    expect(await list(secure)).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^gate: StoreUnavailable: The server of rule policies at https:\S+ is not trusted \(.*certificate.*\); NODE_EXTRA_CA_CERTS names .*\n$/,
      ),
    });
    const other = createServer((_request, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const plain = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      for (const server of [plain, plain.replace('http:', 'https:'), secure.replace('https:', 'http:')]) {
        expect(await list(server)).toEqual({
          code: 2,
          stderr: expect.stringContaining(
            `gate: StoreUnavailable: The server of rule policies at ${server} does not answer`,
          ),
        });
      }
    } finally {
      other.close();
    }
  });
});

describe('the policy service with tokens', () => {
  const tokenOf = (name: string) => `a-token-of-${name}`;
  let url: string;
  beforeAll(async () => {
    const tokens: object[] = ROLES.map((role) => ({
      hash: `sha256:${sha256(tokenOf(role))}`,
      actor: role,
      roles: [role],
    }));
    tokens.push({
      hash: `sha256:${sha256(tokenOf('bound'))}`,
      actor: 'bound',
      roles: ['author'],
      policyTypes: ['migration'],
    });
    tokens.push({
      hash: `sha256:${sha256(tokenOf('mover'))}`,
      actor: 'mover',
      roles: ['operator'],
      policyTypes: ['migration'],
    });
    tokens.push({ hash: `sha256:${sha256(tokenOf('watcher'))}`, actor: 'watcher', roles: ['viewer'] });
    url = await start('closed', { access: { tokens } });
  });

  const methods = PolicyService.methods.map(({ localName }) => localName as keyof typeof METHOD_ROLES);
  it.each(methods)('%s admits the roles that it lists and admin, and refuses all others', async (method) => {
    const admitted: readonly Role[] = [...METHOD_ROLES[method], 'admin'];
    for (const role of ROLES) {
      const call = clientOf(url, tokenOf(role))[method] as (request: object) => Promise<unknown>;
      const code = await codeOf(call({}));
      // An empty request is refused for what it lacks, after its caller was admitted.
      expect([role, code === Code.PermissionDenied]).toEqual([role, !admitted.includes(role)]);
    }
    const anonymous = clientOf(url)[method] as (request: object) => Promise<unknown>;
    expect(await codeOf(anonymous({}))).toBe(Code.Unauthenticated);
  });

  it('lists the roles of the guide', async () => {
    const guide = await readFile(join(__dirname, '../../../docs/rules-server.md'), 'utf8');
    const viewer = /\| viewer \| (.*) \|/.exec(guide)?.[1]?.split(', ').sort();
    const names = PolicyService.methods.filter(({ localName }) =>
      METHOD_ROLES[localName as keyof typeof METHOD_ROLES].includes('viewer'),
    );
    expect(viewer).toEqual(names.map(({ name }) => name).sort());
  });

  it('answers 403 to a body that names another actor, and to a type that the token is not for', async () => {
    const post = (actor: string) =>
      fetch(`${url}/planning_engine.rules.v1.PolicyService/CreatePolicy`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenOf('author')}` },
        body: JSON.stringify({ actor, reason, definition: { ...POLICY, name: 'by-author' } }),
      });
    expect((await post('eve')).status).toBe(403);
    expect((await post('author')).status).toBe(200);
    const bound = clientOf(url, tokenOf('bound'));
    expect(await codeOf(bound.createPolicy({ definition: { ...POLICY, name: 'bound' }, reason }))).toBe(
      Code.PermissionDenied,
    );
    const mover = clientOf(url, tokenOf('mover'));
    const policies = ['by-author'];
    expect(await codeOf(mover.executePolicy({ policies, reason }))).toBe(Code.PermissionDenied);
    expect(await codeOf(mover.executePolicy({ operation: 'migrate_shard', reason }))).toBe(Code.PermissionDenied);
  });

  it('lets a viewer evaluate, and leave no record of it', async () => {
    const viewer = clientOf(url, tokenOf('viewer'));
    const question = { operation: 'place_shard', state: stateNow() };
    expect(await codeOf(viewer.evaluatePolicy(question))).toBe('ok');
    const recorded = { ...question, policies: ['by-author'], record: true, reason };
    expect(await codeOf(viewer.evaluatePolicy(recorded))).toBe(Code.PermissionDenied);
    const which = { case: 'policyName', value: 'by-author' } as const;
    await eventually('a record of the refused call', async () => {
      const { events } = await clientOf(url, tokenOf('admin')).getPolicyExecutionHistory({ policy: which });
      const refused = events.map(({ eventType, details }) => [eventType, details?.actor, details?.call]);
      expect(refused).toContainEqual(['refused', 'viewer', 'EvaluatePolicy']);
      return true;
    });
  });

  it('puts refused calls into the audit log', async () => {
    const admin = clientOf(url, tokenOf('admin'));
    const { policy } = await admin.createPolicy({ definition: { ...POLICY, name: 'wanted' }, reason });
    const wanted = { case: 'policyId', value: policy!.id } as const;
    const watcher = clientOf(url, tokenOf('watcher'));
    for (let call = 0; call < 3; call++) {
      await codeOf(watcher.deletePolicy({ policy: wanted, revision: 1, reason }));
    }
    await eventually('a record of the refused call', async () => {
      const { events } = await admin.getPolicyExecutionHistory({ policy: wanted });
      const refused = events.filter(({ eventType }) => eventType === 'refused');
      // One of a kind is told of in ten seconds.
      expect(refused).toHaveLength(1);
      expect(JSON.stringify(refused[0]!.details)).toContain('watcher');
      return true;
    });
  });
});

describe('the bounds of the settings', () => {
  it('hold for the age of a state, the time of an evaluation and the calls in a second', async () => {
    const url = await start('bounded', {
      rules: { evaluation: { deadline: '1ms', memory: 64 } },
      shards: { state: { maxAge: '1h' } },
      server: { port: 0, quotas: { requestsPerSecond: 5 } },
    });
    const client = clientOf(url);
    const nodes = [...Array(20_000).keys()].map((at) => ({ id: `n${at}`, cpu_usage: 1 }));
    const state = { ...stateNow(), observed_at: new Date(Date.now() - 30 * 60_000).toISOString(), nodes };
    // Half an hour is not too old here, but a millisecond is too short to read so many nodes.
    const evaluation = client.evaluatePolicy({ operation: 'place_shard', state });
    await expect(evaluation).rejects.toThrow(/could not be evaluated: .*\b1 ms/);
    const codes = await Promise.all([...Array(20).keys()].map(() => codeOf(client.listPolicies({}))));
    expect(codes).toContain(Code.ResourceExhausted);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/gate_rules_quota_refusals_total\{quota="requests"\} [1-9]/);
  });
});

describe('what the server needs beyond loopback', () => {
  it('refuses an address beyond loopback without tokens and without TLS, each by its name', async () => {
    await expect(start('wide', { server: { host: '0.0.0.0', port: 0 } })).rejects.toMatchObject({
      type: 'ConfigInvalid',
      faults: [{ where: 'access.tokens' }, { where: 'server.tls' }],
    });
  });
});
