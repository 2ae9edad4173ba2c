import type { Client } from '@temporalio/client';
import { readPendingActivities, type PendingActivity } from './pending-activities';

/** Which running workflows are meant: those of a task queue that have a paused activity of this type. */
export interface PausedSearch {
  taskQueue: string;
  activityType: string;
}

/** A workflow whose activity someone paused in Temporal. */
export interface PausedIn {
  workflowId: string;
  activity: PendingActivity;
}

/**
 * How many running workflows have a paused activity of a type: one question to the server, which keeps a search attribute of
 * its own for them.
 *
 * @throws errors of the connection; of servers older than 1.28, which have no such attribute
 */
export async function countPaused(client: Client, search: PausedSearch): Promise<number> {
  return (await client.workflow.count(queryOf(search))).count;
}

/**
 * The first of them, with who paused them.
 *
 * @throws as `countPaused`
 */
export async function findPaused(client: Client, search: PausedSearch, atMost: number): Promise<PausedIn[]> {
  const found: PausedIn[] = [];
  for await (const { workflowId } of client.workflow.list({ query: queryOf(search) })) {
    if (found.length >= atMost) break;
    // One that has ended or continues since it was listed is passed over.
    const pending = await readPendingActivities(client, { workflowId }).catch(() => []);
    const activity = pending.find(({ type, paused }) => type === search.activityType && paused !== undefined);
    if (activity) found.push({ workflowId, activity });
  }
  return found;
}

function queryOf({ taskQueue, activityType }: PausedSearch): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const paused = `TemporalPauseInfo = ${quoted(`property:activityType=${activityType}`)}`;
  return `TaskQueue = ${quoted(taskQueue)} AND ExecutionStatus = 'Running' AND ${paused}`;
}
