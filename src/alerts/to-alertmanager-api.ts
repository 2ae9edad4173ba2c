import { AlertStatus, type Alert } from './alert';
import { annotationsOf, labelsOf } from './to-alertmanager';

/** One element of what `POST /api/v2/alerts` takes: https://github.com/prometheus/alertmanager/blob/v0.28.1/api/v2/openapi.yaml */
export interface PostableAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** RFC 3339 */
  startsAt: string;
  /** RFC 3339: Alertmanager takes the alert for resolved from then on */
  endsAt: string;
  generatorURL?: string;
}

/** Alertmanager resolves what is not repeated: a firing alert ends this long after its next message is due. */
const REPEATED_WITHIN_MS = 10 * 60_000;
/** How long an alert fires that is told once, such as the end of a deployment. */
const TOLD_ONCE_MS = 60 * 60_000;

/**
 * One alert for Alertmanager's own API, which knows alerts by their labels alone.
 *
 * @param nowMs when it is sent: one that was held up must not arrive as ended
 * @param generatorUrl a link, left out unless it is an absolute URL, which Alertmanager would refuse
 */
export function toAlertmanagerApi(alert: Alert, nowMs: number, generatorUrl?: string): PostableAlert[] {
  return [
    {
      labels: labelsOf(alert),
      annotations: annotationsOf(alert),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: new Date(endOf(alert, nowMs)).toISOString(),
      ...(generatorUrl !== undefined && URL.canParse(generatorUrl) ? { generatorURL: generatorUrl } : {}),
    },
  ];
}

function endOf({ status, startsAtMs, endsAtMs, nextReminderAtMs }: Alert, nowMs: number): number {
  // Alertmanager refuses an end before the start.
  if (status === AlertStatus.resolved) return Math.max(startsAtMs, Math.min(endsAtMs ?? nowMs, nowMs));
  if (nextReminderAtMs === undefined) return Math.max(startsAtMs, nowMs) + TOLD_ONCE_MS;
  return Math.max(nextReminderAtMs, nowMs) + REPEATED_WITHIN_MS;
}
