import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Alert } from '../../../src/alerts/alert';
import { createAlertReceivers } from '../../../src/alerts/receivers/create-receivers';
import { retryAfterMs } from '../../../src/alerts/receivers/webhook';
import type { AlertReceiverConfig } from '../../../src/settings/settings';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { startHttpReceiver, type HttpReceiver } from '../../fakes/http-receiver';

const alert: Alert = {
  status: 'firing',
  fingerprint: 'p',
  name: 'DeploymentPaused',
  summary: 'paused',
  description: 'd',
  startsAtMs: 0,
  reminder: 0,
};
const fetchWith = () => createHttpFetch({ env: {}, folder: '.' });
let server: HttpReceiver;
beforeEach(async () => void (server = await startHttpReceiver()));
afterEach(() => server.close());

function receiver(
  over: Partial<AlertReceiverConfig> = {},
  readSecret: () => string = () => `${server.url}/T0/s3cret\n`,
) {
  const config: AlertReceiverConfig = { format: 'slack', url: { env: 'HOOK' }, timeout: '10m', ...over };
  const [first] = createAlertReceivers([config], { readSecret, fetchWith, firstBackoffMs: 1, uiUrl: 'http://ui' });
  if (first === undefined) throw new Error('Expected one receiver');
  return first;
}
const messageOf = (failed: Promise<void>) =>
  failed.then(
    () => 'sent',
    (error: Error) => error.message,
  );

describe('alert receivers', () => {
  it('alert receivers are named by format and place', () => {
    const configs = (['slack', 'alertmanager', 'slack'] as const).map((format) => ({
      format,
      url: 'x',
      timeout: '10m',
    }));
    const names = createAlertReceivers(configs, { readSecret: () => '', fetchWith }).map((each) => each.name);
    expect(names).toEqual(['slack', 'alertmanager', 'slack-2']);
  });

  it("alert receivers post Slack's format to the address that the secret holds", async () => {
    await receiver().send(alert);
    expect(server.requests).toMatchObject([{ method: 'POST', path: '/T0/s3cret' }]);
    expect(server.requests[0]?.headers['content-type']).toBe('application/json');
    expect(server.bodies()).toMatchObject([{ text: 'FIRING: paused' }]);
  });

  it("alert receivers post Alertmanager's format to an address of the configuration", async () => {
    await receiver({ format: 'alertmanager', url: `${server.url}/hook` }).send(alert);
    expect(server.requests[0]?.path).toBe('/hook');
    expect(server.bodies()).toMatchObject([{ version: '4', receiver: 'alertmanager', externalURL: 'http://ui' }]);
  });

  it('alert receivers read the secret for each message, so that a rotated one is taken up', async () => {
    let turn = 0;
    const rotating = receiver({}, () => `${server.url}/${turn++}`);
    await rotating.send(alert);
    await rotating.send(alert);
    expect(server.requests.map((request) => request.path)).toEqual(['/0', '/1']);
  });

  it.each([408, 425, 429, 500, 502, 503, 'reset' as const])('alert receivers try again after %s', async (answer) => {
    server.answers.push(answer);
    await receiver().send(alert);
    expect(server.requests).toHaveLength(2);
  });

  it.each([301, 400, 403, 404, 410])('alert receivers do not try again after %d', async (status) => {
    server.answers.push({ status, headers: { location: server.url } });
    expect(await messageOf(receiver().send(alert))).toBe(`answered ${status}`);
    expect(server.requests).toHaveLength(1);
  });

  it('alert receivers give up after three attempts, saying what the last one met', async () => {
    server.answers.push(500, 500, 503);
    expect(await messageOf(receiver().send(alert))).toBe('answered 503');
    expect(server.requests).toHaveLength(3);
  });

  it('alert receivers cost their time-out and no more when they hang', async () => {
    server.answers.push('hang', 'hang', 'hang');
    expect(await messageOf(receiver({ timeout: '20ms' }).send(alert))).toBe('no answer within 20 ms');
  });

  it('alert receivers wait as long as Retry-After asks', async () => {
    server.answers.push({ status: 429, headers: { 'retry-after': '0' } });
    await receiver().send(alert);
    expect(server.requests).toHaveLength(2);
  });

  it('alert receivers never name the address, not even when no one answers there', async () => {
    const down = receiver({}, () => 'http://127.0.0.1:2/T0/s3cret');
    expect(await messageOf(down.send(alert))).toMatch(/^not reached: /);
    expect(await messageOf(receiver({}, () => 's3cret').send(alert))).toBe(
      'Expected the URL of alert receiver slack to be an http:// or https:// URL',
    );
    const withPassword = receiver({}, () => server.url.replace('http://', 'http://ann:s3cret@'));
    expect(await messageOf(withPassword.send(alert))).toBe(
      'Expected the URL of alert receiver slack to hold no user and no password',
    );
    expect(server.requests).toEqual([]);
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1);
  it.each<[string | null, number | undefined]>([
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    [' 120 ', 120_000],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:59 GMT', 0],
  ])('%j is %j ms', (header, wanted) => {
    expect(retryAfterMs(header, now)).toBe(wanted);
  });
});
