import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { startChild, workflowInfo } from '@temporalio/workflow';
import type { GateDefaults } from '../../activities/gate-activities';
import type { Alert } from '../../alerts/alert';
import { parseDuration } from '../../kernel/duration';
import type { deliverAlerts } from '../deliver-alerts';

/** Has a workflow of their own send messages when this one has closed. Waits until that is started, for no receiver. */
export async function leaveAlerts(
  deploymentId: string,
  alerts: Alert[],
  { alert }: GateDefaults['activities'],
): Promise<void> {
  const { runId } = workflowInfo();
  try {
    await startChild<typeof deliverAlerts>('deliverAlerts', {
      workflowId: `gate/alerts/${deploymentId}/${runId}`,
      args: [{ alerts, attemptMs: parseDuration(alert.timeout) }],
      parentClosePolicy: 'ABANDON',
      staticSummary: `Last messages of deployment ${deploymentId}`,
    });
  } catch (error) {
    // They are left once: a run has one end.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
