import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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

  const undone = { config: { compensation: { method: 'DELETE', url: 'http://127.0.0.1:2/x' } } };
  const key = (end: string) => `${house.namespace()}.go/${end}`;
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
