import { Context } from '@temporalio/activity';
import type { Alert } from '../alerts/alert';
import type { Services } from '../gate/services';
import { FailureType } from '../kernel/failures';

/** Sends a message about a deployment; the first attempt counts the pause that it is about. */
export async function sendAlert({ alerts, metrics }: Pick<Services, 'alerts' | 'metrics'>, alert: Alert) {
  const isFirstAttempt = Context.current().info.attempt === 1;
  const { status, reminder, startsAtMs, endsAtMs } = alert;
  const reason = pauseReason(alert.pauseReason);
  if (isFirstAttempt && status === 'firing' && reminder === 0) metrics.pauses.paused(reason);
  if (isFirstAttempt && status === 'resolved' && endsAtMs !== undefined)
    metrics.pauses.resolved(reason, (endsAtMs - startsAtMs) / 1000);
  await alerts.send(alert);
}

function pauseReason(reason: string | undefined): FailureType {
  return Object.values(FailureType).find((type) => type === reason) ?? FailureType.PolicyEvaluation;
}
