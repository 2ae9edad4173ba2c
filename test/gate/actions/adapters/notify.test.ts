import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAlertDispatcher } from '../../../../src/alerts/alert-dispatcher';
import { createAlertReceivers } from '../../../../src/alerts/receivers/create-receivers';
import type { AlertmanagerWebhook } from '../../../../src/alerts/to-alertmanager';
import type { ActionContext, NotifyAction } from '../../../../src/gate/actions/action';
import type { RunOptions } from '../../../../src/gate/actions/action-kind';
import type { Actions } from '../../../../src/gate/actions/registry';
import { createNotices } from '../../../../src/gate/notices';
import { ACTIONS } from '../../../../src/images/gating/all-actions';
import { createHttpFetch } from '../../../../src/platform/http/http-client';
import { startHttpReceiver, type HttpReceiver } from '../../../fakes/http-receiver';
import { noImages } from '../../../support/no-images';
import { noShards } from '../../../support/no-shards';

const context: ActionContext = {
  deployment_id: 'shop.go-1',
  stage: 'tell',
  stage_index: 0,
  attributes: { region: 'eu' },
  stage_attributes: {},
  decision_id: 'd-1',
};
const action = (over: Partial<NotifyAction> = {}): NotifyAction => ({
  type: 'notify',
  summary: 'Rolled out to {{ attributes.region }}',
  ...over,
});
const options = (over: Partial<RunOptions> = {}): RunOptions => ({
  idempotencyKey: 'shop.go-1/tell',
  signal: new AbortController().signal,
  ...over,
});

let server: HttpReceiver;
let nowMs = 0;
beforeEach(async () => void (server = await startHttpReceiver()));
afterEach(() => server.close());

/** The actions of one worker whose settings have two receivers. */
function actionsOf(receivers = 2): Actions {
  const configs = (['slack', 'alertmanager'] as const)
    .slice(0, receivers)
    .map((format) => ({ format, url: `${server.url}/${format}`, timeout: '10m' }));
  const fetch = createHttpFetch({ env: {}, folder: '.' });
  const all = createAlertReceivers(configs, {
    readSecret: () => '',
    fetchWith: () => fetch,
    firstBackoffMs: 1,
    maxAttempts: 1,
  });
  const dispatcher = createAlertDispatcher(all, { sent: () => undefined, failed: () => undefined });
  return ACTIONS.create({
    fetch,
    readSecret: () => Promise.reject(new Error('no secret is read here')),
    loadModule: () => Promise.reject(new Error('no module is loaded here')),
    notices: createNotices({
      dispatcher: () => dispatcher,
      labels: { team: 'shop' },
      nowMs: () => (nowMs += 1_000),
    }),
    replicateImage: noImages,
    changeShard: noShards,
  });
}
const toldOf = (path: string) =>
  server.requests.filter((request) => request.path === path).map(({ body }) => JSON.parse(body) as unknown);

describe('the action notify', () => {
  test('tells all receivers, with what its templates stand for and the labels of the settings', async () => {
    const description = 'Decision {{ decision_id }}';
    const { summary } = await actionsOf().run(action({ description, severity: 'warning' }), context, options());
    expect(summary).toBe('told slack, alertmanager');
    expect(toldOf('/slack')).toMatchObject([{ text: 'FIRING: Rolled out to eu' }]);
    const [{ commonLabels, commonAnnotations } = {} as AlertmanagerWebhook] = toldOf(
      '/alertmanager',
    ) as AlertmanagerWebhook[];
    expect(commonLabels).toEqual({
      alertname: 'Notification',
      deployment_id: 'shop.go-1',
      stage: 'tell',
      severity: 'warning',
      team: 'shop',
    });
    expect(commonAnnotations).toMatchObject({ summary: 'Rolled out to eu', description: 'Decision d-1' });
  });

  test('tells only the receivers that it names', async () => {
    expect(await actionsOf().run(action({ receivers: ['alertmanager'] }), context, options())).toEqual({
      summary: 'told alertmanager',
    });
    expect(server.requests.map(({ path }) => path)).toEqual(['/alertmanager']);
  });

  test('asks at another attempt only the receivers that have not taken it', async () => {
    const actions = actionsOf();
    server.refuse = (body) => (body.includes('blocks') ? 503 : undefined);
    await expect(actions.run(action(), context, options())).rejects.toMatchObject({
      message: 'The notification failed: it was not taken by slack (answered 503)',
      retryable: true,
      mayHaveBeenSent: true,
    });
    server.refuse = () => undefined;
    await actions.run(action(), context, options());
    expect([toldOf('/slack').length, toldOf('/alertmanager').length]).toEqual([2, 1]);
  });

  test('is the same thing to receivers when another worker sends it again', async () => {
    await actionsOf().run(action(), context, options());
    await actionsOf().run(action(), context, options());
    const fingerprints = toldOf('/alertmanager').map((body) => (body as AlertmanagerWebhook).alerts[0]!.fingerprint);
    expect(fingerprints).toHaveLength(2);
    expect(new Set(fingerprints).size).toBe(1);
  });

  test('is taken back by another message, where it has one', async () => {
    const actions = actionsOf(1);
    const taken = action({ compensation: { summary: 'Taken back in {{ attributes.region }}' } });
    expect(await actions.compensate(taken, context, options())).toEqual({ summary: 'told slack' });
    expect(await actions.compensate(action(), context, options())).toEqual({ summary: 'no compensation is defined' });
    expect(toldOf('/slack')).toMatchObject([{ text: 'FIRING: Taken back in eu' }]);
  });

  test.each<[string, number, Partial<NotifyAction>, string[]]>([
    [
      'receivers that the worker does not have',
      2,
      { receivers: ['pager', 'slack', 'sms'] },
      [
        "Expected a receiver of the worker's settings, one of slack, alertmanager, got pager",
        "Expected a receiver of the worker's settings, one of slack, alertmanager, got sms",
      ],
    ],
    ['no receivers at all', 0, {}, ["Expected the worker's settings to have receivers (alerts.receivers), found none"]],
    [
      'a template that cannot be filled in',
      1,
      { summary: '{{ attributes.zone }}' },
      [
        'Unknown path attributes.zone in the template at action.summary; templates may read deployment_id, stage, stage_index, attributes, stage_attributes, decision_id',
      ],
    ],
  ])('%s: nothing is sent, and no attempt follows', async (_what, receivers, over, messages) => {
    const failed = await actionsOf(receivers)
      .run(action(over), context, options())
      .then(
        () => undefined,
        (error: unknown) => error as { faults: { message: string }[] },
      );
    expect(failed).toMatchObject({ retryable: false, mayHaveBeenSent: false });
    expect(failed!.faults.map(({ message }) => message)).toEqual(messages);
    expect(server.requests).toEqual([]);
  });

  test('sends nothing once it was stopped', async () => {
    const stopped = AbortSignal.abort(new Error('aborted'));
    await expect(actionsOf().run(action(), context, options({ signal: stopped }))).rejects.toMatchObject({
      mayHaveBeenSent: false,
    });
    expect(server.requests).toEqual([]);
  });

  test('templates are checked before a deployment starts, those of the compensation too', () => {
    const bad = action({ summary: '{{ attributes.zone', compensation: { summary: '{{ nothing }}' } });
    expect(ACTIONS.check(bad, context).map(({ where }) => where)).toEqual([
      'action.summary',
      'action.compensation.summary',
    ]);
  });
});
