import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pauseAfter, readExternalAnswer, type ExternalLook } from '../../../src/plans/execution/external-look';
import { lookAtExternal } from '../../../src/plans/service/look-at-external';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { startHttpReceiver, type HttpReceiver } from '../../fakes/http-receiver';

const read = (body: string | Buffer, status = 200, names: string[] = []) =>
  readExternalAnswer(status, Buffer.from(body as string), names);
const NO_STATE = 'answered without state: pending, running, succeeded, failed or cancelled';

describe('the answer of work outside', () => {
  it.each<[string, string | Buffer, number, ExternalLook]>([
    ['running', '{"state":"running"}', 200, { state: 'running' }],
    ['pending with a message', '{"state":"Pending","message":"queued"}', 202, { state: 'running', message: 'queued' }],
    ['a 202 without a body', '', 202, { state: 'running' }],
    ['succeeded', '{"state":"succeeded"}', 200, { state: 'succeeded' }],
    ['succeeded in capitals', '{"state":"SUCCEEDED","message":"ok"}', 201, { state: 'succeeded', message: 'ok' }],
    ['failed', '{"state":"failed"}', 200, { state: 'failed', message: 'it failed' }],
    ['failed with a reason', '{"state":"failed","message":"no disk"}', 200, { state: 'failed', message: 'no disk' }],
    ['cancelled', '{"state":"Cancelled"}', 200, { state: 'failed', message: 'it was cancelled' }],
    ['no JSON', '<html>', 200, { state: 'unknown', message: 'answered no JSON' }],
    ['no text', Buffer.from([0xff]), 200, { state: 'unknown', message: 'answered no JSON' }],
    ['an empty 200', '', 200, { state: 'unknown', message: 'answered an empty body' }],
    ['a list', '[]', 200, { state: 'unknown', message: 'answered JSON that is no object' }],
    ['another word', '{"state":"done"}', 200, { state: 'unknown', message: NO_STATE }],
    ['another type', '{"state":1}', 200, { state: 'unknown', message: NO_STATE }],
    ['a redirect', '{"state":"succeeded"}', 302, { state: 'unknown', message: 'answered 302' }],
    ['not found', '{"state":"succeeded"}', 404, { state: 'unknown', message: 'answered 404' }],
    ['an error', '', 503, { state: 'unknown', message: 'answered 503' }],
    [
      'more than 1 MiB',
      `{"state":"running","x":"${'x'.repeat(1024 * 1024)}"}`,
      200,
      { state: 'unknown', message: 'answered more than 1048576 bytes' },
    ],
  ])('of %s is understood', (_what, body, status, wanted) => {
    expect(read(body, status)).toEqual(wanted);
  });

  it('has the outputs that are asked for, or the work has failed', () => {
    const body = '{"state":"succeeded","message":"ok","outputs":{"id":7,"more":1}}';
    expect(read(body, 200, ['id'])).toEqual({ state: 'succeeded', message: 'ok', outputs: { id: 7 } });
    const message = 'its outputs: expected url among what it gives, got id, more';
    expect(read(body, 200, ['url'])).toEqual({ state: 'failed', message });
    expect(read('{"state":"succeeded","outputs":7}', 200, ['id'])).toMatchObject({ state: 'failed' });
  });

  it('is asked for again after a pause that doubles while it says nothing, up to 5 minutes', () => {
    expect([0, 1, 2, 9].map((unknown) => pauseAfter(30_000, unknown))).toEqual([30_000, 60_000, 120_000, 300_000]);
    expect(pauseAfter(3_600_000, 3)).toBe(3_600_000);
  });
});

describe('a question for work outside', () => {
  let receiver: HttpReceiver;
  beforeEach(async () => void (receiver = await startHttpReceiver()));
  afterEach(() => receiver.close());
  const look = (path = '/work?token=s3cret', mostMs = 30_000) =>
    lookAtExternal(createHttpFetch({ env: {}, folder: '.' }), { uri: `${receiver.url}${path}`, outputs: [] }, mostMs);

  it('is one GET, and what the answer says', async () => {
    receiver.answers.push({ status: 200, headers: {}, body: '{"state":"running","message":"half"}' });
    expect(await look()).toEqual({ state: 'running', message: 'half' });
    expect(receiver.requests).toMatchObject([{ method: 'GET', path: '/work?token=s3cret' }]);
  });

  it('that hangs is given up, one that is cut off is no answer, and neither message has the query', async () => {
    receiver.answers.push('hang', 'reset');
    const hung = await look('/work?token=s3cret', 100);
    expect(hung).toMatchObject({
      state: 'unknown',
      message: expect.stringMatching(/gave no answer within 100 ms$/) as unknown,
    });
    const cut = await look();
    expect(cut).toMatchObject({ state: 'unknown', message: expect.stringMatching(/does not answer/) as unknown });
    expect(JSON.stringify([hung, cut])).not.toContain('s3cret');
  });

  it('follows no redirect', async () => {
    receiver.answers.push({ status: 302, headers: { location: '/other' } });
    expect(await look()).toMatchObject({
      state: 'unknown',
      message: expect.stringContaining('answered 302') as unknown,
    });
    expect(receiver.requests).toHaveLength(1);
  });
});
