import { Context } from '@temporalio/activity';
import { toLookDetails, type LookDetails } from '../gate/deployments/looks';
import { readPendingActivities } from '../platform/temporal/pending-activities';
import type { ReadLooksRequest } from './gate-activities';

/**
 * The looks that a recheck of the workflow which asks has made, as Temporal keeps them; null when it has none, or has ended.
 *
 * @throws errors of the connection
 */
export async function readLooks({ activityId }: ReadLooksRequest): Promise<LookDetails | null> {
  const { client, info } = Context.current();
  const { workflowExecution } = info;
  if (workflowExecution === undefined) return null;
  const pending = await readPendingActivities(client, workflowExecution);
  return toLookDetails(pending.find((activity) => activity.activityId === activityId)?.heartbeatDetails) ?? null;
}
