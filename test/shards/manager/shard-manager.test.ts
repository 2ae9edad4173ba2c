import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { startShardManager, type ShardManagerServer } from '../../../src/dev/shard-manager';
import type { JsonObject } from '../../../src/kernel/json';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import type { StepCall, UndoCall } from '../../../src/rules/execution/step-runner';
import { createHttpShardManager } from '../../../src/shards/manager/http-shard-manager';
import type { ManagerCall, ShardManager } from '../../../src/shards/manager/shard-manager';
import { createShardSteps } from '../../../src/shards/manager/step-runner';

const DOCUMENT = parse(readFileSync(join(__dirname, '../../../docs/shard-manager.openapi.yaml'), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, JsonObject> } | undefined>>;
};
const { signal } = new AbortController();

describe('the shard manager', () => {
  let server: ShardManagerServer;
  let manager: ShardManager;
  let keys = 0;
  let passedMs = 0;

  beforeEach(async () => {
    server = await startShardManager({ moveMs: 80, nowMs: () => Date.now() + passedMs });
    manager = clientOf(server.url);
  });
  afterEach(() => server.close());

  const clientOf = (url: string, token?: string, timeoutMs = 60_000): ShardManager =>
    createHttpShardManager({
      url,
      fetch: createHttpFetch({ env: {}, folder: '.' }),
      readToken: async () => token,
      timeoutMs,
    });
  const call = (over: Partial<ManagerCall> = {}): ManagerCall => ({ key: `key-${++keys}`, signal, ...over });
  const replicas = (shard: string): unknown =>
    (server.state().shards as JsonObject[]).find(({ id }) => id === shard)?.replicas;

  it('the manager places and removes a replica, and says whether that changed something', async () => {
    const place = { shard: 's6', node: 'n1' };
    await expect(manager.place(place, call())).resolves.toEqual({ changed: true, version: 'v2' });
    await expect(manager.place(place, call())).resolves.toEqual({ changed: false, version: 'v2' });
    await expect(manager.remove(place, call(), false)).rejects.toMatchObject({ code: 'last_replica' });
    await expect(manager.remove(place, call(), true)).resolves.toEqual({ changed: true, version: 'v3' });
    await expect(manager.remove(place, call(), false)).resolves.toEqual({ changed: false, version: 'v3' });
  });

  it('the manager carries out a call once under one key, and gives the same answer again', async () => {
    const place = { shard: 's6', node: 'n1' };
    const once = call();
    const first = await manager.place(place, once);
    await manager.remove(place, call(), true);
    await expect(manager.place(place, once)).resolves.toEqual(first);
    expect(replicas('s6')).toEqual([]);
    await expect(manager.place({ shard: 's6', node: 'n2' }, once)).rejects.toMatchObject({ status: 422 });
  });

  it.each(['', '.', '..', '\ud800'])(
    'an id %j that would be another path is refused before anything is sent',
    async (id) => {
      const unsent = { retryable: false, mayHaveBeenSent: false };
      await expect(manager.place({ shard: id, node: 'n1' }, call())).rejects.toMatchObject(unsent);
      await expect(manager.remove({ shard: 's1', node: id }, call(), true)).rejects.toMatchObject(unsent);
      await expect(manager.startMove({ shard: id, from: 'n1', to: 'n2' }, call(), 1_000)).rejects.toMatchObject(unsent);
      await expect(manager.operation(id, signal)).rejects.toMatchObject(unsent);
      expect(server.requests().calls).toEqual([]);
    },
  );

  it('a refusal holds for its key, so that a request that arrives late changes nothing', async () => {
    server.cluster.changeNode('n1', { status: 'draining' });
    const late = call();
    const refused = { code: 'not_ready', retryable: false, mayHaveBeenSent: false };
    await expect(manager.place({ shard: 's6', node: 'n1' }, late)).rejects.toMatchObject(refused);
    server.cluster.changeNode('n1', { status: 'ready' });
    await expect(manager.place({ shard: 's6', node: 'n1' }, late)).rejects.toMatchObject(refused);
    await expect(manager.place({ shard: 's6', node: 'n1' }, call())).resolves.toMatchObject({ changed: true });
  });

  it('a call that is bound to a version is refused on another', async () => {
    const { version } = await manager.state(signal);
    await manager.place({ shard: 's6', node: 'n1' }, call({ onVersion: String(version) }));
    await expect(
      manager.place({ shard: 's6', node: 'n2' }, call({ onVersion: String(version) })),
    ).rejects.toMatchObject({ type: 'RevisionConflict', retryable: false });
  });

  it.each([
    ['an unknown shard', { shard: 's9', node: 'n1' }, 'unknown_shard'],
    ['an unknown node', { shard: 's6', node: 'n9' }, 'unknown_node'],
    ['a node without room', { shard: 's6', node: 'n3' }, 'no_room'],
    ['a node that is down', { shard: 's6', node: 'n2' }, 'not_ready'],
  ])('the manager refuses %s', async (_what, place, code) => {
    server.cluster.changeNode('n3', { capacity: { shards: 1 } });
    server.cluster.changeNode('n2', { status: 'down' });
    await expect(manager.place(place, call())).rejects.toMatchObject({ code });
  });

  it('a move is an operation that is asked for until it is done; meanwhile its place is taken', async () => {
    const move = { shard: 's4', from: 'n4', to: 'n3' };
    server.cluster.moveMs = 3_600_000;
    const begun = call();
    const operation = await manager.startMove(move, begun, 7_200_000);
    expect(operation).toMatchObject({ ...move, state: 'running' });
    expect((await manager.state(signal)).moves).toEqual([move]);
    await expect(manager.place({ shard: 's4', node: 'n3' }, call())).rejects.toMatchObject({ code: 'is_moving' });
    await expect(manager.startMove(move, begun, 7_200_000)).resolves.toMatchObject({ id: operation.id });
    passedMs += 3_600_000;
    await expect(manager.operation(operation.id, signal)).resolves.toMatchObject({ state: 'done' });
    await expect(manager.cancel(operation.id, signal)).resolves.toMatchObject({ state: 'done' });
    expect(replicas('s4')).toEqual(['n3']);
  });

  it('a move can be called off, and fails at its deadline', async () => {
    server.cluster.moveMs = 3_600_000;
    const called = await manager.startMove({ shard: 's4', from: 'n4', to: 'n3' }, call(), 60_000);
    await expect(manager.cancel(called.id, signal)).resolves.toMatchObject({ state: 'cancelled' });
    const late = await manager.startMove({ shard: 's4', from: 'n4', to: 'n3' }, call(), 1);
    passedMs += 1_000;
    const failed = await manager.operation(late.id, signal);
    expect(failed).toMatchObject({ state: 'failed', error: 'the deadline has passed' });
    expect(replicas('s4')).toEqual(['n4']);
  });

  it.each([
    ['hangs', 'hang', { retryable: true, mayHaveBeenSent: true }],
    ['loses its answer', 'lost', { retryable: true, mayHaveBeenSent: true }],
    ['answers 503', { status: 503 }, { retryable: true, mayHaveBeenSent: true }],
    ['answers 403', { status: 403 }, { retryable: false, mayHaveBeenSent: false }],
  ] as const)('a manager that %s tells whether another attempt may help', async (_how, fault, expected) => {
    server.fail({ fault, times: 1 });
    if (fault === 'hang') manager = clientOf(server.url, undefined, 300);
    await expect(manager.place({ shard: 's6', node: 'n1' }, call())).rejects.toMatchObject(expected);
  });

  it('a call without the token is refused, and the error does not hold it', async () => {
    await server.close();
    server = await startShardManager({ bearerToken: 'right' });
    await expect(clientOf(server.url, 'right').state(signal)).resolves.toMatchObject({ version: 'v1' });
    const refused = clientOf(server.url, 'wrong-token').state(signal);
    await expect(refused).rejects.toMatchObject({ status: 401 });
    await expect(refused).rejects.not.toThrow('wrong-token');
  });

  it('the answers of the stand-in are those of the OpenAPI document', async () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(DOCUMENT, 'doc');
    const ask = async (method: string, path: string, template: string, body?: object): Promise<string> => {
      const headers = { 'idempotency-key': `key-${++keys}`, 'content-type': 'application/json' };
      const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
      const response = await fetch(`${server.url}${path}`, init);
      const escaped = template.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D');
      const operation = `#/paths/${escaped}/${method.toLowerCase()}/responses/${response.status}`;
      const described = DOCUMENT.paths[template]?.[method.toLowerCase()]?.responses[String(response.status)];
      expect(described).toBeDefined();
      const isRefusal = described?.$ref !== undefined;
      const pointer = isRefusal ? '#/components/schemas/Refusal' : `${operation}/content/application~1json/schema`;
      const validate = ajv.compile({ $ref: `doc${pointer}` });
      const answer = (await response.json()) as JsonObject;
      expect({ path, valid: validate(answer), errors: validate.errors }).toEqual({ path, valid: true, errors: null });
      return String(answer.id ?? '');
    };
    const replica = '/v1/shards/{shard}/replicas/{node}';
    await ask('GET', '/v1/state', '/v1/state');
    await ask('PUT', '/v1/shards/s6/replicas/n1', replica);
    await ask('PUT', '/v1/shards/s6/replicas/n1', replica);
    await ask('PUT', '/v1/shards/s9/replicas/n1', replica);
    await ask('DELETE', '/v1/shards/s6/replicas/n1', replica);
    await ask('DELETE', '/v1/shards/s6/replicas/n1?force=true', replica);
    const id = await ask('POST', '/v1/shards/s4/moves', '/v1/shards/{shard}/moves', { from: 'n4', to: 'n3' });
    await ask('POST', '/v1/shards/s4/moves', '/v1/shards/{shard}/moves', {});
    await ask('POST', '/v1/shards/s4/moves', '/v1/shards/{shard}/moves', { from: 'n1', to: 'n3' });
    await ask('GET', `/v1/operations/${id}`, '/v1/operations/{operation}');
    await ask('DELETE', `/v1/operations/${id}`, '/v1/operations/{operation}');
    await ask('GET', '/v1/operations/none', '/v1/operations/{operation}');
    await ask('GET', '/v1/state', '/v1/state');
  });

  describe('steps on it', () => {
    const steps = () => createShardSteps({ manager, moveTimeoutMs: 5_000, pollMs: 20 });
    const planned = (kind: string, settings: JsonObject) => ({ kind, settings, policies: ['p'], sentence: kind });
    const run = (key: string): StepCall => ({ key, signal });
    const undo = (stepKey: string): UndoCall => ({ key: `${stepKey}/undo/0`, stepKey, signal });

    it.each([
      ['add', { shard: 's6', to: 'n1' }],
      ['remove', { shard: 's1', from: 'n1' }],
      ['move', { shard: 's4', from: 'n4', to: 'n3' }],
    ])('a step %s that was done is taken back, also where its result is not known', async (kind, settings) => {
      await manager.place({ shard: 's1', node: 'n2' }, call());
      const before = server.state().shards;
      const step = planned(kind, settings);
      for (const isKnown of [true, false]) {
        const key = `${kind}-${isKnown}`;
        const result = await steps().run(step, run(key));
        expect(result.changed).toBe(true);
        expect(server.state().shards).not.toEqual(before);
        await steps().undo(step, { ...undo(key), ...(isKnown ? { result } : {}) });
        expect(new Set(replicasOf())).toEqual(new Set(replicasOf(before as JsonObject[])));
      }
    });

    const replicasOf = (shards = server.state().shards as JsonObject[]): string[] =>
      shards.map((shard) => `${String(shard.id)} ${JSON.stringify([...(shard.replicas as string[])].sort())}`);

    it.each([
      ['add', { shard: 's6', to: 'n1' }],
      ['move', { shard: 's4', from: 'n4', to: 'n3' }],
    ])('a step %s that never arrived leaves nothing when it is taken back', async (kind, settings) => {
      const before = replicasOf();
      await steps().undo(planned(kind, settings), undo('never'));
      expect(replicasOf()).toEqual(before);
      // A first attempt that arrives only now.
      await steps()
        .run(planned(kind, settings), run('never'))
        .catch(() => undefined);
      expect(replicasOf()).toEqual(before);
    });

    it('a replica that was there before is not removed when its step is taken back', async () => {
      const step = planned('add', { shard: 's1', to: 'n1' });
      await steps().run(step, run('there'));
      await steps().undo(step, undo('there'));
      expect(replicas('s1')).toEqual(['n1']);
    });

    it('a step that is none is refused before anything is sent', async () => {
      await expect(steps().run(planned('paint', {}), run('x'))).rejects.toMatchObject({ mayHaveBeenSent: false });
      await expect(steps().run(planned('add', { shard: 's1' }), run('x'))).rejects.toThrow('a step with shard and to');
      expect(server.requests().calls).toEqual([]);
    });
  });
});
