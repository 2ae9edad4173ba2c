import type { Alert } from '../../alerts/alert';
import type { DeploymentStatus } from './deployment-state';
import { summarise } from './explain';
import { pauseAlert } from './pause';

/**
 * The messages that a deployment still owes when its workflow was ended without being told: what is open is resolved, with
 * how it ended.
 *
 * @param status as it was when it ended, with the final state
 * @param atMs when it ended, in epoch milliseconds
 */
export function closingAlerts(status: DeploymentStatus, atMs: number): Alert[] {
  const { pause } = status;
  return pause === undefined ? [] : [{ ...pauseAlert(pause, status, atMs), summary: summarise(status) }];
}
