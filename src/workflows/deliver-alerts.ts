import { ActivityFailure, log, proxyActivities } from '@temporalio/workflow';
import type { GateActivities } from '../activities/gate-activities';
import type { Alert } from '../alerts/alert';

/** Messages that a workflow left when it closed. */
export interface DeliverAlertsInput {
  /** in the order in which they are to be sent */
  alerts: Alert[];
  /** how long one attempt may take, in milliseconds */
  attemptMs: number;
}

/**
 * Sends the last messages of a workflow that has closed without waiting for its receivers: in order, each until every
 * receiver has taken it, for a day at most. One that is given up is logged.
 */
export async function deliverAlerts({ alerts, attemptMs }: DeliverAlertsInput): Promise<void> {
  for (const alert of alerts) {
    const { sendAlert } = proxyActivities<Pick<GateActivities, 'sendAlert'>>({
      startToCloseTimeout: attemptMs,
      scheduleToCloseTimeout: '1d',
      retry: { initialInterval: '1s', maximumInterval: '5m' },
      summary: `${alert.status}: ${alert.name}`,
    });
    try {
      await sendAlert(alert);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.warn(`Message not delivered: ${error.cause?.message ?? error.message}`);
    }
  }
}
