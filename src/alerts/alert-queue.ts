import type { Alert } from './alert';

/** What alerts need that no one awaits: those about a release, an evaluator or a workflow, not about a deployment's pause. */
export interface UnawaitedAlerts {
  /** the dispatcher's */
  send(alert: Alert): Promise<void>;
  nowMs(): number;
  onUndelivered(error: unknown): void;
}

/** Messages are sent one after the other, so that none is resolved before it fires; nothing waits for them. */
export function createAlertQueue({
  send,
  onUndelivered,
}: Pick<UnawaitedAlerts, 'send' | 'onUndelivered'>): (alert: Alert) => void {
  let last: Promise<void> = Promise.resolve();
  return (alert) => {
    last = last.then(() => send(alert)).catch(onUndelivered);
  };
}
