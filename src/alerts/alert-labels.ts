import type { AlertSeverity } from '../kernel/alert-event';

/** Labels of an alert by name. Alertmanager takes two alerts with the same labels for one. */
export type AlertLabels = Readonly<Record<string, string>>;

/** What an alert is about, in the product's own labels. */
export interface Labelled {
  name: string;
  severity?: AlertSeverity;
  deploymentId?: string;
  stage?: string;
  /** URL of the manifest, of an alert about a release */
  manifest?: string;
}

/** The labels of an alert. @param own the user's, from the settings; the product's own win */
export function alertLabels(
  { name, severity, deploymentId, stage, manifest }: Labelled,
  own: AlertLabels,
): AlertLabels {
  const known = { alertname: name, deployment_id: deploymentId, stage, severity, manifest };
  return { ...own, ...withoutAbsent(known) };
}

/** Alertmanager takes an empty label for an absent one. */
function withoutAbsent(labels: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  );
}
