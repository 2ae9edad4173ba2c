import { ALERT_EVENTS, type AlertEvent } from '../kernel/alert-event';
import type { AlertLabels } from './alert-labels';

/** What of a deployment people are told, and the user's own labels: from the settings of the worker that a stage began on. */
export interface AlertRules {
  on: readonly AlertEvent[];
  labels: AlertLabels;
}

/** What holds where a worker of an earlier release says nothing of it. */
export const DEFAULT_ALERT_RULES: AlertRules = { on: ALERT_EVENTS, labels: {} };

/** Whether people are to be told of an event. */
export function isTold({ on }: Pick<AlertRules, 'on'>, event: AlertEvent): boolean {
  return on.includes(event);
}
