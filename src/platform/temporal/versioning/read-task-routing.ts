import type { Connection } from '@temporalio/client';
import { toTaskRouting, type TaskRouting } from './task-routing';

/** Temporal's number for a task queue's workflow tasks. */
const WORKFLOW_TASKS = 1;

/**
 * Asks the server where the workflow tasks of a task queue go.
 *
 * @throws errors of the connection
 */
export async function readTaskRouting(
  { workflowService }: Pick<Connection, 'workflowService'>,
  namespace: string,
  taskQueue: string,
): Promise<TaskRouting> {
  const { versioningInfo } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: WORKFLOW_TASKS,
  });
  return toTaskRouting(versioningInfo);
}
