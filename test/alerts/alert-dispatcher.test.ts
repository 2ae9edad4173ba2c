import { describe, expect, it } from '@jest/globals';
import type { Alert } from '../../src/alerts/alert';
import { AlertDeliveryError, createAlertDispatcher } from '../../src/alerts/alert-dispatcher';

const alert: Alert = {
  status: 'firing',
  fingerprint: 'p',
  name: 'DeploymentPaused',
  summary: 's',
  description: 'd',
  startsAtMs: 0,
  reminder: 0,
};

/** Keeps what it took; refuses while `failures` lasts. */
function fakeReceiver(name: string, failures: unknown[] = []) {
  const taken: Alert[] = [];
  const send = async (each: Alert) => {
    if (failures.length > 0) throw failures.shift();
    taken.push(each);
  };
  return { name, taken, send };
}

function dispatch(...receivers: ReturnType<typeof fakeReceiver>[]) {
  const counted: string[] = [];
  const dispatcher = createAlertDispatcher(receivers, {
    sent: (name) => counted.push(`sent ${name}`),
    failed: (name) => counted.push(`failed ${name}`),
  });
  return { dispatcher, counted };
}

describe('the alert dispatcher', () => {
  it('the alert dispatcher reaches every receiver, and reports all that failed together', async () => {
    const receivers = [fakeReceiver('a', [new Error('down')]), fakeReceiver('b'), fakeReceiver('c', ['gone'])];
    const { dispatcher, counted } = dispatch(...receivers);
    const error: unknown = await dispatcher.send(alert).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AlertDeliveryError);
    expect(error).toMatchObject({
      message: 'Alert not delivered to a (down); c (gone)',
      failures: [
        { receiver: 'a', message: 'down' },
        { receiver: 'c', message: 'gone' },
      ],
    });
    expect(receivers.map((receiver) => receiver.taken.length)).toEqual([0, 1, 0]);
    expect(counted.sort()).toEqual(['failed a', 'failed c', 'sent b']);
  });

  it('the alert dispatcher asks only those that have not taken the message when it is sent again', async () => {
    const [a, b] = [fakeReceiver('a', [new Error('down')]), fakeReceiver('b')];
    const { dispatcher } = dispatch(a, b);
    await expect(dispatcher.send(alert)).rejects.toThrow('a (down)');
    await dispatcher.send(alert);
    await dispatcher.send(alert);
    expect([a.taken.length, b.taken.length]).toEqual([1, 1]);
  });

  it('the alert dispatcher sends once when two attempts overlap', async () => {
    const a = fakeReceiver('a');
    const { dispatcher } = dispatch(a);
    await Promise.all([dispatcher.send(alert), dispatcher.send(alert)]);
    expect(a.taken).toHaveLength(1);
  });

  it('a reminder, a resolved message and another pause are messages of their own', async () => {
    const a = fakeReceiver('a');
    const { dispatcher } = dispatch(a);
    const messages = [alert, { ...alert, reminder: 1 }, { ...alert, status: 'resolved' as const }];
    for (const each of [...messages, { ...alert, fingerprint: 'q' }]) await dispatcher.send(each);
    expect(a.taken).toHaveLength(4);
  });

  it('the alert dispatcher remembers a thousand messages and forgets the oldest', async () => {
    const a = fakeReceiver('a');
    const { dispatcher } = dispatch(a);
    for (let reminder = 0; reminder <= 1000; reminder++) await dispatcher.send({ ...alert, reminder });
    await dispatcher.send({ ...alert, reminder: 1 });
    expect(a.taken).toHaveLength(1001);
    await dispatcher.send(alert);
    expect(a.taken).toHaveLength(1002);
  });

  it('the alert dispatcher does nothing where no receiver is configured', async () => {
    const { dispatcher, counted } = dispatch();
    await dispatcher.send(alert);
    expect(counted).toEqual([]);
  });
});
