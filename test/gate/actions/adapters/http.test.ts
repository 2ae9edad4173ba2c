import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ActionContext, ActionSpec, HttpAction } from '../../../../src/gate/actions/action';
import { ActionError } from '../../../../src/gate/actions/action-error';
import { ACTIONS } from '../../../../src/images/gating/all-actions';
import { noImages } from '../../../support/no-images';
import { noShards } from '../../../support/no-shards';
import { noNotices } from '../../../support/no-notices';
import { isCertainlyUnsent } from '../../../../src/gate/actions/adapters/http';
import { createActionRegistry } from '../../../../src/gate/actions/registry';
import { noneAction } from '../../../../src/gate/actions/adapters/none';
import { createHttpFetch } from '../../../../src/platform/http/http-client';
import { FailureType, GateError } from '../../../../src/kernel/failures';
import { startHttpReceiver, type HttpReceiver } from '../../../fakes/http-receiver';

const context: ActionContext = {
  deployment_id: 'fw',
  stage: 'canary',
  stage_index: 0,
  attributes: {
    path: 'a/b?c',
    secret: 's3cret',
    broken: 'x\r\ny: z',
    up: '..',
    dot: '.',
    empty: '',
    half: '\ud800',
  },
  stage_attributes: { devices: 500 },
  decision_id: 'd-1',
};
const { run: runAction, compensate } = ACTIONS.create({
  fetch: createHttpFetch({ env: {}, folder: '.' }),
  readSecret: async (name, url) => {
    if (name !== 'token') throw new GateError(FailureType.ConfigInvalid, `No secret is named ${name}`);
    return `token for ${url.hostname}`;
  },
  loadModule: () => Promise.reject(new Error('no module is loaded here')),
  notices: noNotices,
  replicateImage: noImages,
  changeShard: noShards,
});
const { check: checkAction } = ACTIONS;
let receiver: HttpReceiver;
beforeEach(async () => void (receiver = await startHttpReceiver()));
afterEach(() => receiver.close());

const action = (over: Partial<HttpAction> = {}): HttpAction => ({
  type: 'http',
  method: 'PATCH',
  url: `${receiver.url}/devices`,
  body: { target: '{{ stage_attributes.devices }}' },
  ...over,
});
const options = (signal = new AbortController().signal) => ({ idempotencyKey: 'key-1', signal });
const failure = async (spec: ActionSpec, signal?: AbortSignal): Promise<ActionError> => {
  const error: unknown = await runAction(spec, context, options(signal)).catch((reason: unknown) => reason);
  if (!(error instanceof ActionError)) throw new Error(`Expected an ActionError, got ${String(error)}`);
  return error;
};

describe('the http action', () => {
  it('the http action sends the body with its templates filled in, under the idempotency key', async () => {
    receiver.answers.push(202);
    const result = await runAction(action({ expect: 202, headers: { 'X-Stage': '{{ stage }}' } }), context, options());
    expect(result).toEqual({ status: 202, summary: `PATCH ${receiver.url}/devices answered 202` });
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]).toMatchObject({ method: 'PATCH', path: '/devices', body: '{"target":500}' });
    expect(receiver.requests[0]?.headers).toMatchObject({
      'idempotency-key': 'key-1',
      'content-type': 'application/json',
      'x-stage': 'canary',
    });
  });

  const said = (body: string | Buffer, status = 200) => receiver.answers.push({ status, headers: {}, body });
  const asked = (...outputs: string[]) => runAction(action(), context, { ...options(), outputs });

  it('the http action takes the values that are asked for from the answer, and reads no body without', async () => {
    said('{"id":7,"at":null,"other":"x"}', 201);
    expect(await asked('id', 'at')).toMatchObject({ status: 201, outputs: { id: 7, at: null } });
    said('{"id":7}');
    expect(await asked()).not.toHaveProperty('outputs');
  });

  it.each<[string, string | Buffer, string]>([
    ['no JSON', '<html>ok</html>', 'answer a JSON object with id (outputs), but it answered no JSON'],
    ['no body', '', 'but it answered an empty body'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x7b]), 'but it answered no JSON'],
    ['a list', '[1]', 'but it answered JSON that is no object'],
    ['more than 1 MiB', `{"id":"${'x'.repeat(1024 * 1024)}"}`, 'but it answered more than 1048576 bytes'],
    ['another name', '{"ID":1}', 'expected id among what it gives, got ID'],
    ['nothing', '{}', 'expected id among what it gives, got nothing'],
    ['a value that is too long', `{"id":"${'x'.repeat(16_384)}"}`, 'outputs of at most 16384 bytes of JSON, got 16393'],
  ])(
    'an answer of %s fails the action that is to give a value, and it is not sent again',
    async (_what, body, wanted) => {
      said(body);
      const failed = asked('id');
      await expect(failed).rejects.toThrow(wanted);
      await expect(failed).rejects.toMatchObject({ retryable: false, mayHaveBeenSent: true });
    },
  );

  it('the http action sends the key in the header that is named, whatever else the headers say of it', async () => {
    await runAction(action({ idempotencyKeyHeader: 'X-Key', headers: { 'x-KEY': 'mine' } }), context, options());
    expect(receiver.requests[0]?.headers['x-key']).toBe('key-1');
  });

  it('the http action encodes what a template puts into the URL', async () => {
    await runAction(action({ url: `${receiver.url}/d/{{ attributes.path }}` }), context, options());
    expect(receiver.requests[0]?.path).toBe('/d/a%2Fb%3Fc');
  });

  it.each([
    ['a refusal', (url: string) => `${url}/d/{{ attributes.path }}?q=1`, 'to answer 2xx, got 404'],
    ['no answer', () => 'http://127.0.0.1:2/{{ stage_attributes.devices }}', 'could not be sent'],
  ])('the http action names %s of a masked address by its templates', async (_what, url, words) => {
    receiver.answers.push(404);
    const spec = action({ url: url(receiver.url) });
    const running = runAction(spec, context, { ...options(), hidesValues: true });
    const { message, faults } = (await running.catch((error: unknown) => error)) as ActionError;
    const shown = spec.url.replace('?q=1', '');
    expect([message.includes(`PATCH ${shown} `), message.includes(words)]).toEqual([true, true]);
    expect(faults).toMatchObject([{ where: shown }]);
  });

  it.each<[number, number | undefined]>([
    [200, undefined],
    [204, undefined],
    [299, undefined],
    [404, 404],
    [304, 304],
  ])('status %d is a success of the http action where %s is expected', async (status, expected) => {
    receiver.answers.push(status);
    expect((await runAction(action({ expect: expected }), context, options())).status).toBe(status);
  });

  it.each<[number, number | undefined, boolean]>([
    [200, 202, false],
    [302, undefined, false],
    [400, undefined, false],
    [404, undefined, false],
    [408, undefined, true],
    [409, undefined, false],
    [425, undefined, true],
    [429, undefined, true],
    [499, undefined, false],
    [500, undefined, true],
    [503, undefined, true],
  ])(
    'status %d fails the http action where %s is expected; another attempt may mend it: %s',
    async (status, expected, retryable) => {
      receiver.answers.push({ status, headers: { location: `${receiver.url}/elsewhere` } });
      const error = await failure(action({ expect: expected }));
      expect(error).toMatchObject({ type: 'ActionFailed', retryable, mayHaveBeenSent: true });
      expect(error.faults).toEqual([
        { type: 'ActionFailed', message: error.message, where: `${receiver.url}/devices`, status },
      ]);
      expect(receiver.requests).toHaveLength(1);
    },
  );

  it('a time-out counts as sent', async () => {
    receiver.answers.push('hang');
    const error = await failure(action({ timeout: '1s' }));
    expect(error).toMatchObject({ retryable: true, mayHaveBeenSent: true });
    expect(error.message).toContain('gave no answer within 1s; it may have been carried out');
  });

  describe('for a receiver that does not honour the idempotency key', () => {
    it.each<[string, number | 'hang' | 'reset']>([
      ['no answer in time', 'hang'],
      ['a connection that is cut', 'reset'],
      ['a request time-out', 408],
      ["a gateway's time-out", 504],
    ])('no attempt follows %s', async (_what, answer) => {
      receiver.answers.push(answer);
      const error = await failure(action({ timeout: '1s', retryOnTimeout: false }));
      expect(error).toMatchObject({ retryable: false, mayHaveBeenSent: true });
    });

    it('another attempt follows an answer that nothing was done, and a refused connection', async () => {
      receiver.answers.push(503);
      expect(await failure(action({ retryOnTimeout: false }))).toMatchObject({ retryable: true });
      const spec = action({ url: 'http://127.0.0.1:2/', retryOnTimeout: false });
      expect(await failure(spec)).toMatchObject({ retryable: true, mayHaveBeenSent: false });
    });
  });

  it('the http action reads the secrets that headers and body name for the host of the request', async () => {
    const headers = { Authorization: { secret: 'token' } };
    await runAction(action({ headers, body: { auth: [{ secret: 'token' }] } }), context, options());
    expect(receiver.requests[0]?.headers.authorization).toBe('token for 127.0.0.1');
    expect(receiver.requests[0]?.body).toBe('{"auth":["token for 127.0.0.1"]}');
  });

  it('the http action sends nothing when a secret cannot be had', async () => {
    const error = await failure(action({ headers: { Authorization: { secret: 'tokne' } } }));
    expect(error).toMatchObject({ message: 'No secret is named tokne', retryable: false, mayHaveBeenSent: false });
    expect(receiver.requests).toEqual([]);
  });

  it('a connection that is cut counts as sent', async () => {
    receiver.answers.push('reset');
    expect(await failure(action())).toMatchObject({ retryable: true, mayHaveBeenSent: true });
  });

  it('a refused connection counts as not sent', async () => {
    const { url } = receiver;
    await receiver.close();
    const error = await failure(action({ url }));
    expect(error).toMatchObject({ retryable: true, mayHaveBeenSent: false });
    expect(error.message).toContain('could not be sent: ECONNREFUSED');
    receiver = await startHttpReceiver();
  });

  it('an abort before the start counts as not sent, one in between as sent', async () => {
    expect(await failure(action(), AbortSignal.abort())).toMatchObject({ mayHaveBeenSent: false });
    expect(receiver.requests).toHaveLength(0);
    receiver.answers.push('hang');
    const controller = new AbortController();
    const failed = failure(action(), controller.signal);
    while (receiver.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await failed).toMatchObject({ retryable: true, mayHaveBeenSent: true });
  });

  it('the http action keeps the query out of every error', async () => {
    receiver.answers.push(500, 'reset');
    const spec = action({ url: `${receiver.url}/devices?token={{ attributes.secret }}` });
    for (const error of [await failure(spec), await failure(spec)]) {
      expect(JSON.stringify({ ...error, message: error.message, cause: error.cause })).not.toContain('s3cret');
    }
  });

  it('the http action sends nothing when a template is unknown', async () => {
    const error = await failure(action({ body: '{{ nope }}' }));
    expect(error).toMatchObject({ retryable: false, mayHaveBeenSent: false });
    expect(error.faults[0]?.message).toContain('Unknown path nope');
    expect(receiver.requests).toHaveLength(0);
  });

  it('the http action compensates under a key of its own', async () => {
    const spec = action({ compensation: { method: 'DELETE', url: `${receiver.url}/devices/{{ stage }}` } });
    expect((await compensate(spec, context, options())).status).toBe(200);
    expect(receiver.requests).toMatchObject([{ method: 'DELETE', path: '/devices/canary', body: '' }]);
    expect(receiver.requests[0]?.headers['idempotency-key']).toBe('key-1/compensation');
  });

  it('the http action compensates nothing where nothing is defined', async () => {
    expect(await compensate(action(), context, options())).toEqual({ summary: 'no compensation is defined' });
    expect(receiver.requests).toHaveLength(0);
  });
});

describe('checking an action before the deployment starts', () => {
  it.each<[string, Partial<HttpAction>, string]>([
    ['an unknown path in the URL', { url: 'http://x/{{ a }}' }, 'action.url'],
    ['an unknown path in a header', { headers: { h: '{{ a }}' } }, 'action.headers.h'],
    ['a line break in a header', { headers: { h: '{{ attributes.broken }}' } }, 'action.headers.h'],
    ['a header name with a blank', { headers: { 'a b': 'x' } }, 'action.headers.a b'],
    ['an idempotency header that is none', { idempotencyKeyHeader: 'a:b' }, 'action.headers.a:b'],
    ['a relative URL', { url: '/devices' }, 'action.url'],
    ['another scheme', { url: 'file:///etc/passwd' }, 'action.url'],
    ['credentials in the URL', { url: 'http://u:pw@x/' }, 'action.url'],
    ['a port that HTTP clients refuse', { url: 'http://x:6000/' }, 'action.url'],
    ['a template in the host', { url: 'http://{{ stage }}.x/' }, 'action.url'],
    ['a template in the port', { url: 'http://x:{{ stage_attributes.devices }}/' }, 'action.url'],
    ['a template that is the whole address', { url: '{{ stage }}/x' }, 'action.url'],
    ['a template that may become credentials', { url: 'http://{{ stage }}@x/' }, 'action.url'],
    ['a step that a value makes', { url: 'http://x/regions/{{ attributes.up }}/devices' }, 'action.url'],
    ['a step that a value makes at the end', { url: 'http://x/regions/{{ attributes.up }}?q=1' }, 'action.url'],
    ['a step that a value completes', { url: 'http://x/.{{ attributes.dot }}/devices' }, 'action.url'],
    ['a step that is written encoded', { url: 'http://x/%2e{{ attributes.dot }}/devices' }, 'action.url'],
    ['a step behind a backslash', { url: 'http://x/a\\{{ attributes.up }}\\b' }, 'action.url'],
    ['an empty segment', { url: 'http://x/regions/{{ attributes.empty }}/devices' }, 'action.url'],
    ['an empty last segment', { url: 'http://x/devices/{{ attributes.empty }}' }, 'action.url'],
    ['a step that the author wrote', { url: 'http://x/regions/../devices' }, 'action.url'],
    ['a line break in the URL', { url: 'http://x/.\n./devices' }, 'action.url'],
    ['half a character in a value', { url: 'http://x/{{ attributes.half }}' }, 'action.url'],
    ['a body with GET', { method: 'GET' }, 'action.body'],
    ['a fault in the compensation', { compensation: { method: 'POST', url: 'x' } }, 'action.compensation.url'],
  ])('%s is a fault', (_name, over, where) => {
    const faults = checkAction(action(over), context);
    expect(faults.map((fault) => fault.where)).toEqual([where]);
    expect(faults[0]).toMatchObject({ type: 'ConfigInvalid' });
    expect(faults[0]?.message).not.toContain('pw@');
  });

  it('the check of an action reports all faults together, those of the compensation too', () => {
    const spec = action({
      url: 'http://x/{{ a }}',
      body: '{{ b }}',
      compensation: { method: 'POST', url: 'http://x/{{ c }}' },
    });
    expect(checkAction(spec, context).map((fault) => fault.where)).toEqual([
      'action.url',
      'action.body',
      'action.compensation.url',
    ]);
  });

  it.each([
    ['an empty value in a query', 'http://x/devices?q={{ attributes.empty }}'],
    ['a value with dots', 'http://x/v{{ attributes.up }}/devices'],
    ['a value that is no step in a query', 'http://x/?q={{ attributes.up }}'],
    ['separators in a value', 'http://x/{{ attributes.path }}/y'],
    ['an address of IPv6', 'http://[::1]:8080/{{ stage }}'],
  ])('the check of an action takes %s', (_what, url) => {
    expect(checkAction(action({ url }), context)).toEqual([]);
  });

  it('the check of an action finds nothing wrong with a sound action, nor with none', () => {
    const compensation = { method: 'POST', url: 'http://x/', body: {} } as const;
    expect(checkAction(action({ compensation }), context)).toEqual([]);
    expect(checkAction({ type: 'none' }, context)).toEqual([]);
  });
});

describe('the registry of actions', () => {
  it('the action none does nothing and undoes nothing', async () => {
    expect(await runAction({ type: 'none' }, context, options())).toEqual({ summary: 'nothing to do' });
    expect(await compensate({ type: 'none' }, context, options())).toEqual({ summary: 'nothing to undo' });
  });

  it('the registry of actions refuses two actions of one type', () => {
    expect(() => createActionRegistry([noneAction, noneAction])).toThrow(
      'Two actions are registered for the type none',
    );
  });

  it('the registry of actions names the types it knows when asked for another', async () => {
    await expect(runAction({ type: 'shell' } as unknown as ActionSpec, context, options())).rejects.toThrow(
      'Expected an action of type none or http or module or notify or shard or replicate-image, got shell',
    );
  });
});

describe('what is certain to be unsent', () => {
  const failed = (cause: unknown) => new TypeError('fetch failed', { cause });
  it.each<[string, unknown, boolean]>([
    ['a refused connection', failed({ syscall: 'connect', code: 'ECONNREFUSED' }), true],
    ['an unreachable host', failed({ syscall: 'connect', code: 'EHOSTUNREACH' }), true],
    ['an unknown name', failed({ syscall: 'getaddrinfo', code: 'ENOTFOUND' }), true],
    ["undici's time-out while connecting", failed({ code: 'UND_ERR_CONNECT_TIMEOUT' }), true],
    ['all addresses refused', failed({ errors: [{ syscall: 'connect' }, { syscall: 'connect' }] }), true],
    ['one address refused, one cut off', failed({ errors: [{ syscall: 'connect' }, { syscall: 'read' }] }), false],
    ['a reset while reading', failed({ syscall: 'read', code: 'ECONNRESET' }), false],
    ['a failure while writing', failed({ syscall: 'write', code: 'EPIPE' }), false],
    ["undici's closed socket", failed({ code: 'UND_ERR_SOCKET' }), false],
    ['a failure that says nothing', failed(undefined), false],
    ['no Error at all', 'boom', false],
  ])('%s: %#', (_name, error, unsent) => {
    expect(isCertainlyUnsent(error)).toBe(unsent);
  });
});
