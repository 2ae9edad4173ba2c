import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startAlertReceiver, type AlertReceiverServer } from '../../src/dev/alert-receiver';

describe('the alert receiver', () => {
  let receiver: AlertReceiverServer;
  beforeEach(async () => void (receiver = await startAlertReceiver()));
  afterEach(() => receiver.close());
  const send = async (method: string, path: string, body?: string): Promise<number> =>
    (await fetch(receiver.url + path, { method, body })).status;

  it('the alert receiver keeps what it gets, in order, and shows it', async () => {
    await send('POST', '/alerts', '{"n":1}');
    await send('POST', '/slack', '{"n":2}');
    const expected = [
      { path: '/alerts', body: { n: 1 } },
      { path: '/slack', body: { n: 2 } },
    ];
    expect(receiver.received).toEqual(expected);
    expect(await (await fetch(`${receiver.url}/received`)).json()).toEqual(expected);
  });

  it('the alert receiver fails with the status it is told, and is well again when told so', async () => {
    expect(await send('PUT', '/status', '503')).toBe(200);
    expect(await send('POST', '/', '{}')).toBe(503);
    receiver.answerWith(200);
    expect(await send('POST', '/', '{}')).toBe(200);
    expect([receiver.refused, receiver.received.length]).toEqual([1, 1]);
  });

  it.each([
    ['POST', '/', 'no JSON', 400],
    ['POST', '/', JSON.stringify('x'.repeat(1_000_000)), 400],
    ['PUT', '/status', '199', 400],
    ['PUT', '/status', '600', 400],
    ['PUT', '/status', '"503"', 400],
    ['PUT', '/elsewhere', '{}', 405],
  ])('the alert receiver refuses %s %s', async (method, path, body, status) => {
    expect(await send(method, path, body)).toBe(status);
    expect(receiver.received).toEqual([]);
  });
});
