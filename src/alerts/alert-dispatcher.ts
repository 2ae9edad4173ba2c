import { messageOf } from '../kernel/message-of';
import { BoundedMap } from '../kernel/bounded-map';
import type { Alert, AlertReceiver } from './alert';

export interface AlertMetrics {
  sent(receiver: string): void;
  failed(receiver: string): void;
}

export interface AlertDispatcher {
  /** their names, in order */
  readonly receivers: readonly string[];
  /**
   * Sends to every receiver side by side. Rejects with AlertDeliveryError once all have ended and at least one failed.
   * Called again for the same message it asks only those that have not taken it yet, so that a retried activity alerts
   * no one twice; a restarted process has forgotten and may.
   *
   * @param to names of receivers; @default all
   */
  send(alert: Alert, to?: readonly string[]): Promise<void>;
  /** The same to those receivers that know what fires: a resolved message about something that may not fire. */
  settle(alert: Alert): Promise<void>;
}

/** Names every receiver that did not take the alert. */
export class AlertDeliveryError extends Error {
  override readonly name = 'AlertDeliveryError';
  constructor(
    readonly failures: readonly { receiver: string; message: string }[],
    options?: { cause?: unknown },
  ) {
    super(
      `Alert not delivered to ${failures.map(({ receiver, message }) => `${receiver} (${message})`).join('; ')}`,
      options,
    );
  }
}

/** Messages remembered; a deployment seldom has more than a few in flight. */
const REMEMBERED = 1000;

export function createAlertDispatcher(receivers: readonly AlertReceiver[], metrics: AlertMetrics): AlertDispatcher {
  /** by message and receiver: under way or done; a failure is forgotten, so that it is tried again */
  const deliveries = new BoundedMap<string, Map<AlertReceiver, Promise<void>>>(REMEMBERED);

  function deliver(alert: Alert, receiver: AlertReceiver, done: Map<AlertReceiver, Promise<void>>): Promise<void> {
    const earlier = done.get(receiver);
    if (earlier !== undefined) return earlier;
    const delivery = (async () => {
      try {
        await receiver.send(alert);
      } catch (error) {
        done.delete(receiver);
        metrics.failed(receiver.name);
        throw error;
      }
      metrics.sent(receiver.name);
    })();
    done.set(receiver, delivery);
    return delivery;
  }

  const sendTo = async (alert: Alert, wanted: readonly AlertReceiver[]): Promise<void> => {
    // The time as well: what is wrong a second time is another message, though it is the same thing.
    const key = JSON.stringify([alert.fingerprint, alert.startsAtMs, alert.status, alert.reminder]);
    const done = deliveries.get(key) ?? new Map<AlertReceiver, Promise<void>>();
    deliveries.set(key, done);

    const results = await Promise.allSettled(wanted.map((receiver) => deliver(alert, receiver, done)));
    const failures = results.flatMap((result, index) =>
      result.status === 'rejected'
        ? [{ receiver: wanted[index]?.name ?? String(index), message: messageOf(result.reason) }]
        : [],
    );
    if (failures.length > 0) {
      throw new AlertDeliveryError(failures, {
        cause: results.find((result) => result.status === 'rejected')?.reason,
      });
    }
  };
  return {
    receivers: receivers.map(({ name }) => name),
    send: (alert, to) =>
      sendTo(alert, to === undefined ? receivers : receivers.filter(({ name }) => to.includes(name))),
    settle: (alert) =>
      sendTo(
        alert,
        receivers.filter(({ knowsWhatFires }) => knowsWhatFires === true),
      ),
  };
}
