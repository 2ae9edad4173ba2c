import { AlertStatus, type Alert } from './alert';
import { alertLabels, type AlertLabels } from './alert-labels';

/** Alertmanager's webhook body, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export interface AlertmanagerWebhook {
  version: '4';
  groupKey: string;
  truncatedAlerts: number;
  status: AlertStatus;
  receiver: string;
  groupLabels: Record<string, string>;
  commonLabels: Record<string, string>;
  commonAnnotations: Record<string, string>;
  externalURL: string;
  alerts: AlertmanagerAlert[];
}

export interface AlertmanagerAlert {
  status: AlertStatus;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** RFC 3339 */
  startsAt: string;
  /** RFC 3339; Go's zero time while it fires, as Alertmanager itself sends it */
  endsAt: string;
  generatorURL: string;
  fingerprint: string;
}

const ZERO_TIME = '0001-01-01T00:00:00Z';
const GROUPED_BY = ['alertname', 'deployment_id'];

/**
 * One alert as a group of one. Labels stay the same from the first message to `resolved`, because receivers match on
 * them; what changes from reminder to reminder is in the annotations.
 *
 * @param externalURL address of the Temporal UI; empty when unknown
 */
export function toAlertmanager(alert: Alert, receiver: string, externalURL = ''): AlertmanagerWebhook {
  const labels = labelsOf(alert);
  const groupLabels = Object.fromEntries(Object.entries(labels).filter(([name]) => GROUPED_BY.includes(name)));
  const annotations = annotationsOf(alert);
  return {
    version: '4',
    groupKey: `{}:{${Object.entries(groupLabels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(', ')}}`,
    truncatedAlerts: 0,
    status: alert.status,
    receiver,
    groupLabels,
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL,
    alerts: [
      {
        status: alert.status,
        labels,
        annotations,
        startsAt: new Date(alert.startsAtMs).toISOString(),
        endsAt: endOf(alert),
        generatorURL: externalURL,
        fingerprint: alert.fingerprint,
      },
    ],
  };
}

/** A resolved alert without an end would read as still firing, so its start is used. */
function endOf(alert: Alert): string {
  if (alert.status === AlertStatus.firing) return ZERO_TIME;
  return new Date(alert.endsAtMs ?? alert.startsAtMs).toISOString();
}

/** The same from the first message to `resolved`, because receivers match on them. */
export function labelsOf(alert: Alert): Record<string, string> {
  const labels: AlertLabels = alert.labels ?? alertLabels(alert, {});
  return { ...labels };
}

/** What may change from message to message. */
export function annotationsOf({ summary, description, reminder, pauseReason }: Alert): Record<string, string> {
  const reason: Record<string, string> = pauseReason === undefined ? {} : { pause_reason: pauseReason };
  return { summary, description, reminder: String(reminder), ...reason };
}
