import type { Alert } from '../../alerts/alert';
import { isTold, type AlertRules } from '../../alerts/alert-rules';
import { alertLabels, type AlertLabels } from '../../alerts/alert-labels';
import type { Incident, IncidentMessage } from '../../alerts/incident';
import type { AlertEvent } from '../../kernel/alert-event';
import { type AlertSeverity } from '../../kernel/alert-event';
import { derivedId } from '../../kernel/derived-id';
import { faultText } from '../../kernel/fault-text';
import { shortList } from '../../kernel/short-text';
import type { DeploymentStatus, Pause } from './deployment-state';
import { explain, summarise } from './explain';

/** Where something happened. */
export interface AlertPlace {
  deploymentId: string;
  stage: string;
}

const PAUSED = 'DeploymentPaused';

/** The labels of an incident of a stage, fixed when it opens. */
export function incidentLabels({ deploymentId, stage }: AlertPlace, own: AlertLabels): AlertLabels {
  return alertLabels({ name: PAUSED, severity: 'warning', deploymentId, stage }, own);
}

/** The message of an incident that fires: what is wrong now, and what would unblock it. */
export function firingAlert(
  incident: Incident,
  message: IncidentMessage,
  status: DeploymentStatus,
  pause: Pause,
): Alert {
  const view: DeploymentStatus = { ...status, pause, state: 'paused' };
  return {
    ...ofIncident(incident, message, status),
    pauseReason: pause.reason,
    summary: summarise(view),
    description: [...shortList(pause.faults.map(faultText)), '', ...explain(view, []).unblock].join('\n'),
    nextReminderAtMs: incident.nextReminderAtMs,
  };
}

/**
 * The message that resolves an incident.
 *
 * @param because the present state in one sentence
 */
export function resolvedAlert(incident: Incident, message: IncidentMessage, place: AlertPlace, because: string): Alert {
  const since = new Date(incident.startedAtMs).toISOString();
  return {
    ...ofIncident(incident, message, place),
    summary: `Deployment ${place.deploymentId}, stage ${incident.labels.stage ?? place.stage}: no longer paused`,
    description: `${because}\nPaused, or on and off again, since ${since}`,
    endsAtMs: message.atMs,
  };
}

function ofIncident({ id, labels, startedAtMs }: Incident, { status, reminder }: IncidentMessage, place: AlertPlace) {
  return {
    status,
    fingerprint: id,
    name: labels.alertname ?? PAUSED,
    deploymentId: labels.deployment_id ?? place.deploymentId,
    stage: labels.stage ?? place.stage,
    labels,
    startsAtMs: startedAtMs,
    reminder,
  };
}

/** How a deployment can end that people are told of. */
export type EndEvent = Exclude<AlertEvent, 'paused'>;

const ENDS: Readonly<Record<EndEvent, { name: string; severity: AlertSeverity }>> = {
  failed: { name: 'DeploymentFailed', severity: 'critical' },
  denied: { name: 'DeploymentDenied', severity: 'warning' },
  aborted: { name: 'DeploymentAborted', severity: 'info' },
  terminated: { name: 'DeploymentTerminated', severity: 'critical' },
  'timed-out': { name: 'DeploymentTimedOut', severity: 'critical' },
};

/** The end of a deployment. */
export interface Ended extends AlertPlace {
  event: EndEvent;
  /** of the workflow run that ended: the same end is always the same message */
  runId: string;
  atMs: number;
  /** one sentence */
  summary: string;
  /** whatever else is known, a sentence each */
  details?: readonly string[];
}

/**
 * The message about an end of a deployment, told once: nothing follows it. Undefined where the rules do not name the event.
 */
export function endAlert(ended: Ended, rules: AlertRules): Alert | undefined {
  const { event, deploymentId, stage, runId, atMs, summary, details = [] } = ended;
  if (!isTold(rules, event)) return undefined;
  const { name, severity } = ENDS[event];
  return {
    status: 'firing',
    fingerprint: derivedId('alert', runId, deploymentId, event),
    name,
    deploymentId,
    stage,
    severity,
    labels: alertLabels({ name, severity, deploymentId, stage }, rules.labels),
    summary,
    description: [
      ...shortList(details),
      `See gate status ${deploymentId} and gate audit list --deployment ${deploymentId}`,
    ].join('\n'),
    startsAtMs: atMs,
    reminder: 0,
  };
}

const END_EVENTS = Object.keys(ENDS) as EndEvent[];

/** The event that a final state is; undefined for one that no one needs to be told of. */
export function endEventOf(state: DeploymentStatus['state']): EndEvent | undefined {
  return END_EVENTS.find((event) => event === state);
}
