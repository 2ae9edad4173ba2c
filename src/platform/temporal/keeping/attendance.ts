import type { Client } from '@temporalio/client';
import { describeIfKnown } from '../connection/describe-if-known';
import { queuePollers } from './queue-pollers';

/** Whether a workflow runs, and whether workers poll its task queue. */
export type Attendance =
  { state: 'not running' } | { state: 'attended' | 'unattended'; taskQueue: string; runId: string };

/**
 * Looks whether anyone takes the tasks of a workflow, and those of its activities on the same queue. Workers that have
 * stopped are listed for five minutes more.
 *
 * @throws errors of the connection
 */
export async function attendanceOf(client: Client, namespace: string, workflowId: string): Promise<Attendance> {
  const found = await describeIfKnown(client, workflowId);
  if (found === undefined || found.status.name !== 'RUNNING') return { state: 'not running' };
  const { taskQueue, runId } = found;
  const pollers = await Promise.all(
    (['workflow', 'activity'] as const).map((type) => queuePollers(client, namespace, taskQueue, type)),
  );
  const state = pollers.every(({ size }) => size > 0) ? 'attended' : 'unattended';
  return { state, taskQueue, runId };
}
