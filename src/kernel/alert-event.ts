/** What a deployment can tell people of. Public: the words of `alerts.on` in the settings. */
export const AlertEvent = {
  /** an incident: the stage is paused, or the store of records is out of reach */
  paused: 'paused',
  failed: 'failed',
  denied: 'denied',
  /** by an operator, or by a cancellation in Temporal */
  aborted: 'aborted',
  /** ended in Temporal without a word to the workflow */
  terminated: 'terminated',
  /** ended by a time-out of Temporal's */
  timedOut: 'timed-out',
} as const;
export type AlertEvent = (typeof AlertEvent)[keyof typeof AlertEvent];

/** All of them, which is also what people are told of by default. */
export const ALERT_EVENTS: readonly AlertEvent[] = Object.values(AlertEvent);

/** How urgent an alert is: a label, fixed when the alert begins. */
export type AlertSeverity = 'critical' | 'warning' | 'info';
