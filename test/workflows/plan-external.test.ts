import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HttpAction } from '../../src/gate/actions/action';
import { startHttpReceiver, type HttpReceiver } from '../fakes/http-receiver';
import { eventually } from '../support/temporal-env';
import { storedExecutions } from './stored-executions';

describe('nodes of an execution that wait for work outside', () => {
  const house = storedExecutions();
  const { start, status, reach, says, replayed, worker, startWorker } = house;
  let receiver: HttpReceiver;
  beforeEach(async () => void (receiver = await startHttpReceiver()));
  afterEach(() => receiver.close());
  const say = (body: object) => receiver.answers.push({ status: 200, headers: {}, body: JSON.stringify(body) });
  const external = (more: object = {}) => ({
    ...{ kind: 'External', externalRef: { type: 'uri', uri: `${receiver.url}/work` }, pollInterval: '1s' },
    ...more,
  });
  const ended = (phase: string) => eventually(`the end as ${phase}`, async () => (await status()).phase === phase);

  it('work that goes on is asked for again until it is done, over the end of a worker, and its outputs are kept', async () => {
    say({ state: 'running', message: 'half way' });
    await start('a b<a', { a: external({ outputs: ['id'] }) });
    await says('a', 'half way');
    await worker().stop();
    receiver.answers.length = 0;
    say({ state: 'running' });
    say({ state: 'succeeded', outputs: { id: 7 } });
    await startWorker();
    await reach('a Succeeded, b Succeeded');
    await ended('Succeeded');
    expect((await status()).nodeStatuses?.a?.outputs).toEqual({ id: 7 });
    await replayed();
  });

  it('work that fails fails its node with what it said, and what depends on it is skipped', async () => {
    say({ state: 'failed', message: 'no disk' });
    await start('a b<a', { a: external() });
    await reach('a Failed, b Skipped');
    await ended('Failed');
    expect((await status()).message).toBe('node a: no disk');
    await replayed();
  });

  it('an answer that is no JSON blocks the node with the reason, and its timeout ends the wait', async () => {
    await start('a b~a', { a: external({ timeout: '12s' }) });
    await reach('a Blocked, b Pending');
    await says('a', 'answered no JSON');
    await reach('a Failed, b Succeeded');
    await says('a', 'timed out after 12s');
    await replayed();
  });

  it('a node counts as done once its endpoint answers, and one whose endpoint does not has failed though it acted', async () => {
    const criterion = (more: object = {}) => ({
      ...{ type: 'endpoint_responds', name: 'healthy', url: `${receiver.url}/health`, bodyMatch: '"up": ?true' },
      ...more,
    });
    receiver.answers.push(503);
    for (let look = 0; look < 2; look += 1) receiver.answers.push({ status: 200, headers: {}, body: '{"up": true}' });
    await start('a b<a c<b d<c', {
      a: { acceptanceCriteria: [criterion()] },
      b: {
        acceptanceCriteria: [
          criterion({ bodyMatch: 'up' }),
          criterion({ name: 'gone', url: `${receiver.url}/x`, required: false, expectedStatus: 404, bodyMatch: 'x' }),
        ],
      },
      c: { acceptanceCriteria: [criterion({ expectedStatus: 204 })] },
    });
    await reach('a Succeeded, b Succeeded, c Failed, d Skipped');
    await says('b', 'criterion gone: expected status 404, got 200');
    await says('c', 'criterion healthy: expected status 204, got 200');
    expect(receiver.requests.filter(({ path }) => path === '/health')).toHaveLength(2 + 1 + 5);
    await replayed();
  });

  const key = (end: string) => `${house.namespace()}.go/${end}`;

  /** The request that asked for work, in the order of the requests. */
  const asked = (at: number) =>
    eventually(`request ${at + 1}`, () => Promise.resolve(house.gate().actions[at])).then(
      ({ action, idempotencyKey }) => ({
        ...{ action: action as HttpAction, idempotencyKey },
        body: (action as HttpAction).body as unknown as {
          attempt: number;
          inputs: unknown;
          callback: { url: string; token: string };
        },
      }),
    );
  const callBack = (token: string, body: unknown, node = 'a') =>
    house
      .plans()
      .service.callBack({ namespace: house.namespace(), name: 'go', node }, token, JSON.stringify(body))
      .then(
        ({ action }) => action,
        (error: Error) => error.message,
      );
  const webhook = (more: object = {}) => ({
    ...{ kind: 'External', externalRef: { type: 'webhook', webhookUrl: 'https://work.example/start' } },
    ...more,
  });

  it('work that is asked for by a webhook ends when it is called back, over the end of a worker', async () => {
    await start('a b<a', { a: webhook({ inputs: { size: 3 }, outputs: ['id'] }) });
    const { action, body, idempotencyKey } = await asked(0);
    expect(action).toMatchObject({ type: 'http', method: 'POST', url: 'https://work.example/start' });
    expect([body.attempt, body.inputs, idempotencyKey]).toEqual([1, { size: 3 }, key('a')]);
    expect(body.callback.url).toBe(`https://gate.example/plans/callbacks/${house.namespace()}/go/a`);
    await says('a', 'waits to be called back');
    await worker().stop();
    const { token } = body.callback;
    const answer = { state: 'succeeded', message: 'shipped', outputs: { id: 7, more: 8 } };
    expect(await callBack(token, answer)).toBe('updated');
    // Its answer may have been lost on the way.
    expect(await callBack(token, answer)).toBe('unchanged');
    await startWorker();
    await reach('a Succeeded, b Succeeded');
    await ended('Succeeded');
    expect((await status()).nodeStatuses?.a).toMatchObject({ message: 'shipped', outputs: { id: 7 } });
    expect(await callBack(token, { state: 'failed' })).toBe('Node a was called back before: it succeeded');
    // What is stored of the token opens nothing.
    expect(JSON.stringify(await status())).not.toContain(token);
    const called = house.log.filter(({ kind, actor }) => kind === 'resolved' && actor === 'callback');
    expect(called).toMatchObject([{ part: 'a', reason: 'shipped', details: { outcome: 'succeeded', attempt: 1 } }]);
    await replayed();
  });

  it('only its own token calls a node back, with an answer that is one', async () => {
    await start('a ?g:live', { a: webhook({ outputs: ['id'] }) });
    const { callback } = (await asked(0)).body;
    await says('a', 'waits to be called back');
    const refused = 'Expected the token of a node that waits for a callback';
    expect(await callBack('guess', { state: 'succeeded' })).toBe(refused);
    expect(await callBack(callback.token, { state: 'succeeded' }, 'g')).toBe(refused);
    expect(await callBack(callback.token, { state: 'succeeded' }, 'missing')).toBe(refused);
    expect(await callBack(callback.token, { state: 'succeeded' }, '__proto__')).toBe(refused);
    const state = 'The callback of node a: expected an object with state: succeeded, failed or cancelled';
    for (const answer of [{}, [], 'x', null, { state: 'running' }, { state: 7 }])
      expect(await callBack(callback.token, answer)).toBe(state);
    expect(await callBack(callback.token, { state: 'succeeded', outputs: { ID: 7 } })).toMatch(
      /^The callback of node a: its outputs: .*id/,
    );
    const place = house.place('Execution', 'go');
    await house.plans().service.askRun(place, 'cancel', { reason: 'wrong version' }, house.request);
    await ended('Cancelled');
    expect(await callBack(callback.token, { state: 'cancelled' })).toBe('Node a waits no more: it is Cancelled');
    await replayed();
  });

  it('each attempt asks anew under a key and a token of its own', async () => {
    await start('a', { a: webhook({ retries: 1 }) });
    const first = await asked(0);
    await says('a', 'waits to be called back');
    expect(await callBack(first.body.callback.token, { state: 'failed', message: 'no disk' })).toBe('updated');
    const second = await asked(1);
    expect([second.body.attempt, second.idempotencyKey]).toEqual([2, key('a/2')]);
    expect(await callBack(first.body.callback.token, { state: 'succeeded' })).toMatch(/^Expected the token/);
    expect(await callBack(second.body.callback.token, { state: 'cancelled' })).toBe('updated');
    await ended('Failed');
    await says('a', 'it was cancelled');
    await replayed();
  });

  const undone = { config: { compensation: { method: 'DELETE', url: 'http://127.0.0.1:2/x' } } };
  const compensations = () =>
    house.log.flatMap(({ kind, details = {} }) => {
      const { key: of, state } = (details.compensation ?? {}) as { key?: string; state?: string };
      return kind === 'acted' && of?.startsWith(key('')) ? [`${of} ${state}`] : [];
    });

  it('what a node did whose criterion does not hold is taken back before it is tried again, and once it is given up', async () => {
    const looks = 5;
    for (let look = 0; look < 2 * looks; look += 1) receiver.answers.push(503);
    const healthy = { type: 'endpoint_responds', name: 'healthy', url: `${receiver.url}/health` };
    await start('a b<a', { a: { acceptanceCriteria: [healthy], retries: 1 } }, {}, undone);
    await reach('a Failed, b Skipped');
    await ended('Failed');
    await says('a', 'criterion healthy: expected status 2xx, got 503 (compensated)');
    // A receiver that remembers the first key would say that it is done: the second attempt has its own.
    expect(house.gate().actions.map(({ idempotencyKey }) => idempotencyKey)).toEqual([key('a'), key('a/2')]);
    expect(house.gate().compensations).toEqual([key('a'), key('a/2')]);
    expect((await status()).nodeStatuses?.a?.extensions).toEqual({
      compensation: { state: 'done', key: key('a/2/compensation') },
    });
    await eventually('the records', () => Promise.resolve(compensations().length === 4));
    expect(compensations()).toEqual(
      ['a/compensation due', 'a/compensation done', 'a/2/compensation due', 'a/2/compensation done'].map(key),
    );
    await replayed();
  });

  it('a node counts as done once its fact is as its criterion says, and one whose fact does not come so has failed', async () => {
    const low = (more: object = {}) => ({
      ...{ type: 'custom', name: 'quiet', fact: 'pending', operator: 'lt', value: 10 },
      ...more,
    });
    house.facts.set('pending', { value: 12 });
    await start('a b~a', {
      a: { acceptanceCriteria: [low()] },
      b: {
        acceptanceCriteria: [low({ required: false, fact: 'other', timeout: '1s' }), low({ value: 1, timeout: '1s' })],
      },
    });
    await reach('a Running, b Pending');
    house.facts.set('pending', { value: 3 });
    await reach('a Succeeded, b Failed');
    await says('b', 'criterion quiet: expected fact pending lt 1');
    await replayed();
  });

  it('what a node did that is stopped before its criterion holds is taken back', async () => {
    receiver.refuse = () => 503;
    const healthy = { type: 'endpoint_responds', name: 'healthy', url: `${receiver.url}/health` };
    await start('a', { a: { acceptanceCriteria: [healthy] } }, {}, undone);
    await eventually('the first look', () => Promise.resolve(receiver.requests.length > 0));
    const place = house.place('Execution', 'go');
    await house.plans().service.askRun(place, 'cancel', { reason: 'wrong version' }, house.request);
    await ended('Cancelled');
    await says('a', '(compensated)');
    expect(house.gate().compensations).toEqual([key('a')]);
    await replayed();
  });
});
