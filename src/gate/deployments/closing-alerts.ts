import type { Alert } from '../../alerts/alert';
import { DEFAULT_ALERT_RULES, isTold, type AlertRules } from '../../alerts/alert-rules';
import { endAlert, endEventOf, resolvedAlert } from './deployment-alerts';
import type { DeploymentStatus } from './deployment-state';
import { summarise } from './explain';
import { pauseAlert } from './pause';

/**
 * The messages that a deployment still owes when its workflow was ended without being told: what is open is resolved, with
 * how it ended, and then the end itself is told, where the rules name it.
 *
 * @param status as it was when it ended, with the final state
 * @param run that ended, in epoch milliseconds
 */
export function closingAlerts(
  status: DeploymentStatus,
  { runId, closedAtMs: atMs }: { runId: string; closedAtMs: number },
  rules: AlertRules = DEFAULT_ALERT_RULES,
): Alert[] {
  const { deploymentId, stage, state, stages } = status;
  const summary = summarise(status);
  const event = endEventOf(state);
  const details = stages.map(({ name, state: reached }) => `Stage ${name}: ${reached}`);
  const end = event && endAlert({ event, deploymentId, stage, runId, atMs, summary, details }, rules);
  return [...openAlerts(status, atMs, rules), ...(end ? [end] : [])];
}

/** An incident, or the pause of a run that alerted of each pause. */
function openAlerts(status: DeploymentStatus, atMs: number, rules: AlertRules): Alert[] {
  const { incident, pause } = status;
  const summary = summarise(status);
  if (incident !== undefined) {
    const message = { status: 'resolved', reminder: incident.remindersSent, atMs } as const;
    return [{ ...resolvedAlert(incident, message, status, summary), summary }];
  }
  return pause === undefined || !isTold(rules, 'paused') ? [] : [{ ...pauseAlert(pause, status, atMs), summary }];
}
