import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startShardManager, type ShardManagerServer } from '../../../src/dev/shard-manager';
import type { ActionContext, ShardAction } from '../../../src/gate/actions/action';
import type { RunOptions } from '../../../src/gate/actions/action-kind';
import { shardAction } from '../../../src/gate/actions/adapters/shard';
import { createActionRegistry, type Actions } from '../../../src/gate/actions/registry';
import type { JsonObject } from '../../../src/kernel/json';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { createShardChanges } from '../../../src/shards/gating/change-shards';
import { createHttpShardManager } from '../../../src/shards/manager/http-shard-manager';
import { noImages } from '../../support/no-images';
import { noNotices } from '../../support/no-notices';

const context: ActionContext = {
  deployment_id: 'fw',
  stage: 'place',
  stage_index: 0,
  attributes: { node: 'n1' },
  stage_attributes: { shard: 's6' },
  decision_id: 'd-1',
};
const KEY = 'fw/place';
const NEVER = new AbortController().signal;
const spec = (over: Partial<ShardAction> = {}): ShardAction => ({
  type: 'shard',
  operation: 'add',
  shard: '{{ stage_attributes.shard }}',
  to: '{{ attributes.node }}',
  ...over,
});
const move = (over: Partial<ShardAction> = {}): ShardAction =>
  spec({ operation: 'move', shard: 's1', from: 'n1', to: 'n2', ...over });

describe('an action that changes a shard', () => {
  let server: ShardManagerServer;
  let actions: Actions;

  beforeEach(async () => {
    server = await startShardManager({ moveMs: 60 });
    actions = actionsAt(server.url);
  });
  afterEach(() => server.close());

  function actionsAt(
    url: string | undefined,
    over: { readToken?: () => Promise<string>; timeoutMs?: number } = {},
  ): Actions {
    const fetch = createHttpFetch({ env: {}, folder: '.' });
    const options = { fetch, readToken: async () => undefined, timeoutMs: 60_000, ...over };
    const manager = url === undefined ? undefined : createHttpShardManager({ url, ...options });
    return createActionRegistry([shardAction]).create({
      fetch,
      readSecret: () => Promise.reject(new Error('no secret is read here')),
      loadModule: () => Promise.reject(new Error('no module is loaded here')),
      notices: noNotices,
      replicateImage: noImages,
      changeShard: createShardChanges({ manager, pollMs: 10 }),
    });
  }
  const run = (of: ShardAction, options: Partial<RunOptions> = {}) =>
    actions.run(of, context, { idempotencyKey: KEY, signal: NEVER, ...options });
  const takeBack = (of: ShardAction, options: Partial<RunOptions> = {}) =>
    actions.compensate({ ...of, compensate: true }, context, { idempotencyKey: KEY, signal: NEVER, ...options });
  const replicas = (shard: string): unknown =>
    (server.state().shards as JsonObject[]).find(({ id }) => id === shard)?.replicas;

  it('adds, moves and removes a replica, with its templates filled in', async () => {
    expect(await run(spec())).toEqual({ summary: 's6 is on n1' });
    expect(replicas('s6')).toEqual(['n1']);
    const moved = await run(move({ shard: 's6' }), { idempotencyKey: 'k2', outputs: ['changed', 'operation'] });
    expect(moved).toEqual({
      summary: 'move of s6 from n1 to n2 is done',
      outputs: { changed: true, operation: 'op-1' },
    });
    expect(replicas('s6')).toEqual(['n2']);
    await run(spec({ to: 'n3' }), { idempotencyKey: 'k3' });
    const removed = await run(spec({ operation: 'remove', from: 'n2', to: undefined }), { idempotencyKey: 'k4' });
    expect(removed).toEqual({ summary: 's6 is off n2' });
    expect(replicas('s6')).toEqual(['n3']);
  });

  it('is carried out once under its key, also when an answer was lost', async () => {
    server.fail({ method: 'PUT', times: 1, fault: 'lost' });
    await expect(run(spec())).rejects.toMatchObject({ retryable: true, mayHaveBeenSent: true });
    expect(await run(spec(), { outputs: ['changed'] })).toEqual({
      summary: 's6 is on n1',
      outputs: { changed: true },
    });
    expect(server.requests().byKey).toEqual({ [KEY]: 2 });
    expect(server.state().version).toBe('v2');
  });

  it.each<[string, ShardAction]>([
    ['an addition', spec()],
    ['a removal', spec({ operation: 'remove', shard: 's6', from: 'n1', to: undefined })],
    ['a move', move()],
  ])('%s that was done already, under whatever key, changes nothing more and is not taken back', async (_what, of) => {
    if (of.operation === 'move') await run(of, { idempotencyKey: 'earlier' });
    if (of.operation === 'add') await run(of, { idempotencyKey: 'earlier' });
    const before = server.state().version;
    const again = await run(of, { outputs: ['changed'] });
    expect(again).toMatchObject({ summary: expect.stringContaining('already'), outputs: { changed: false } });
    await takeBack(of);
    expect(server.state().version).toBe(before);
  });

  it('is refused with the word of the manager, for good and with nothing sent to take back', async () => {
    server.cluster.changeNode('n1', { status: 'down' });
    await expect(run(spec())).rejects.toMatchObject({
      message: expect.stringContaining('answered 409: n1 is "down"'),
      retryable: false,
      mayHaveBeenSent: false,
    });
    // A move that is refused for another reason than that it was done.
    await expect(run(move({ to: 'n9' }), { idempotencyKey: 'k2' })).rejects.toMatchObject({ retryable: false });
    await expect(run(move({ from: 'n3' }), { idempotencyKey: 'k3' })).rejects.toMatchObject({
      message: expect.stringContaining('n3 holds no replica of s1'),
    });
  });

  it.each([
    ['an outage', { status: 503 } as const, { retryable: true, mayHaveBeenSent: true }],
    ['a manager that hangs', 'hang' as const, { retryable: true, mayHaveBeenSent: true }],
  ])('%s is an attempt that may be repeated', async (_what, fault, wanted) => {
    server.fail({ fault });
    if (fault === 'hang') actions = actionsAt(server.url, { timeoutMs: 300 });
    await expect(run(spec())).rejects.toMatchObject(wanted);
    server.heal();
    actions = actionsAt(server.url);
    expect(await run(spec())).toEqual({ summary: 's6 is on n1' });
  });

  it('an answer that cannot be read ends the attempts, and counts as sent', async () => {
    const strange = {
      run: async (body: string) => {
        const manager = createHttpShardManager({
          url: 'http://manager.example',
          fetch: (async () => new Response(body, { status: 200 })) as never,
          readToken: async () => undefined,
          timeoutMs: 60_000,
        });
        return createShardChanges({ manager, pollMs: 10 }).run(spec(), context, { idempotencyKey: KEY, signal: NEVER });
      },
    };
    for (const body of ['', '[]', '{', '{"changed": "yes"}'])
      await expect(strange.run(body)).rejects.toMatchObject({ retryable: false, mayHaveBeenSent: true });
  });

  it('without a manager the error names the setting, ends the attempts and says that nothing was sent', async () => {
    actions = actionsAt(undefined);
    await expect(run(spec())).rejects.toMatchObject({
      message: expect.stringContaining("Expected shards.manager in the worker's settings"),
      faults: [{ where: 'shards.manager' }],
      retryable: false,
      mayHaveBeenSent: false,
    });
    await expect(takeBack(spec())).rejects.toMatchObject({ retryable: false });
  });

  it('a token that cannot be read ends the attempts', async () => {
    const readToken = () => Promise.reject(new Error('Expected the variable TOKEN, found none'));
    actions = actionsAt(server.url, { readToken });
    await expect(run(spec())).rejects.toMatchObject({
      message: expect.stringContaining('Expected the variable TOKEN'),
      retryable: false,
      mayHaveBeenSent: false,
    });
    expect(server.requests().calls).toEqual([]);
  });

  it('an abort before it is sent sends nothing; one while a move runs ends the attempt', async () => {
    await expect(run(spec(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ mayHaveBeenSent: false });
    expect(server.requests().calls).toEqual([]);
    server.cluster.moveMs = 60_000;
    const stop = new AbortController();
    const running = run(move(), { signal: stop.signal });
    while (!server.requests().calls.some((call) => call.startsWith('GET /v1/operations')))
      await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await expect(running).rejects.toMatchObject({
      message: 'move s1 from n1 to n2 was stopped; it may have been carried out',
      mayHaveBeenSent: true,
    });
    // The move that is under way is called off when the action is taken back.
    expect(await takeBack(move())).toEqual({ summary: 'move of s1 from n1 to n2 was called off' });
    expect(server.state().moves).toEqual([]);
    expect(replicas('s1')).toEqual(['n1']);
  });

  describe('when it is taken back', () => {
    it('removes the replica that it added, the last one too, under a key of its own', async () => {
      await run(spec());
      expect(await takeBack(spec())).toEqual({ summary: 's6 is off n1 again' });
      expect(await takeBack(spec())).toEqual({ summary: 's6 is off n1 again' });
      expect(replicas('s6')).toEqual([]);
      expect(Object.keys(server.requests().byKey)).toEqual([KEY, `${KEY}/compensation`]);
    });

    it('moves the replica back, and adds again what it removed', async () => {
      await run(move());
      expect(await takeBack(move())).toEqual({ summary: 'move of s1 from n2 to n1 is done' });
      expect(replicas('s1')).toEqual(['n1']);
      await run(spec({ shard: 's2', to: 'n3' }), { idempotencyKey: 'k2' });
      const removal = spec({ operation: 'remove', shard: 's2', from: 'n2', to: undefined });
      await run(removal, { idempotencyKey: 'k3' });
      expect(await takeBack(removal, { idempotencyKey: 'k3' })).toEqual({ summary: 's2 is on n2 again' });
      expect(replicas('s2')).toEqual(['n3', 'n2']);
    });

    it('leaves all as it is where it does not say so', async () => {
      await run(spec());
      const { summary } = await actions.compensate(spec(), context, { idempotencyKey: KEY, signal: NEVER });
      expect(summary).toBe('no compensation is defined');
      expect(replicas('s6')).toEqual(['n1']);
    });
  });

  it('shows no value of the deployment where values are masked', async () => {
    const told: unknown[] = [];
    const hidden = { hidesValues: true };
    const secret = { ...context, stage_attributes: { shard: 'classified' } };
    const failed = await actions
      .run(spec(), secret, { idempotencyKey: KEY, signal: NEVER, ...hidden })
      .catch((error: unknown) => error as Error & { faults: unknown });
    told.push((failed as Error).message, (failed as { faults?: unknown }).faults);
    expect((failed as Error).message).toBe(
      'add {{ stage_attributes.shard }} to {{ attributes.node }}: the shard manager answered 404 (unknown_shard)',
    );
    told.push(
      await run(spec(), { ...hidden, idempotencyKey: 'k2' }),
      await takeBack(spec(), { ...hidden, idempotencyKey: 'k2' }),
    );
    expect(JSON.stringify(told)).not.toMatch(/classified|s6|n1/);
  });

  it.each<[string, Partial<ShardAction>, string]>([
    ['an addition without a node', { to: undefined }, 'action.to: expected a node for operation add, got nothing'],
    ['an addition from a node', { from: 'n1' }, 'action.from: expected none for operation add'],
    ['a removal to a node', { operation: 'remove', from: 'n1' }, 'action.to: expected none for operation remove'],
    ['a move within one node', { operation: 'move', from: 'n1', to: 'n1' }, 'expected another node than action.from'],
    ['a time for what is no move', { within: '5m' }, 'action.within: expected none for operation add'],
    ['no time', { operation: 'move', from: 'n2', within: '0s' }, 'expected a time longer than 0 and at most 1d'],
    [
      'more than a day',
      { operation: 'move', from: 'n2', within: '25h' },
      'expected a time longer than 0 and at most 1d',
    ],
    ['an unknown template', { shard: '{{ attributes.shard }}' }, 'Unknown path attributes.shard'],
    ['a step in a path', { shard: '..' }, 'action.shard: expected an id'],
    ['an id that is too long', { shard: 's'.repeat(256) }, 'action.shard: expected an id'],
    ['half a character', { to: '\ud800' }, 'action.to: expected an id'],
  ])('%s is a fault before anything starts', async (_what, over, fault) => {
    const bad = spec(over);
    const messages = shardAction.check(bad, context).map(({ message }) => message);
    expect(messages).toEqual([expect.stringContaining(fault)]);
    await expect(run(bad)).rejects.toMatchObject({ retryable: false, mayHaveBeenSent: false });
    expect(server.requests().calls).toEqual([]);
  });

  it('all faults of an action are told at once', () => {
    const bad = spec({ operation: 'move', shard: '.', to: undefined, within: '0s' });
    expect(shardAction.check(bad, context).map(({ where }) => where)).toEqual([
      'action.shard',
      'action.from',
      'action.to',
      'action.within',
    ]);
  });
});
