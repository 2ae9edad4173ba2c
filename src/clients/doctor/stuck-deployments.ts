import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** A running workflow whose workflow task fails again and again: it waits, and loses nothing. */
export interface StuckWorkflow {
  workflowId: string;
  /** attempts of the present workflow task */
  attempt: number;
  /** Temporal's word for the cause, such as `NON_DETERMINISTIC_ERROR` */
  cause: string;
  message: string;
  /** the build that completed its newest workflow task, for one that ran on versioned workers */
  lastBuild?: string;
}

export interface StuckSearch {
  stuck: StuckWorkflow[];
  /** how many running workflows were looked at, the newest first */
  looked: number;
  /** whether there are more than were looked at */
  more: boolean;
}

const LOOKED_AT_MOST = 1_000;
const SIDE_BY_SIDE = 10;
/** A failed attempt leaves three events; later attempts of the same task leave none. */
const NEWEST_EVENTS = 10;
const { WorkflowTaskFailedCause } = temporal.api.enums.v1;

/**
 * Finds the workflows of a task queue whose workflow task failed and is tried again.
 *
 * @throws errors of the connection
 */
export async function findStuckWorkflows(client: Client, namespace: string, taskQueue: string): Promise<StuckSearch> {
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  const stuck: StuckWorkflow[] = [];
  const ids: string[] = [];
  let more = false;
  for await (const { workflowId } of client.workflow.list({ query })) {
    more = ids.length === LOOKED_AT_MOST;
    if (more) break;
    ids.push(workflowId);
  }
  for (let index = 0; index < ids.length; index += SIDE_BY_SIDE) {
    const found = await Promise.all(
      ids.slice(index, index + SIDE_BY_SIDE).map((workflowId) => lookAt(client, namespace, workflowId)),
    );
    stuck.push(...found.filter((one) => one !== undefined));
  }
  return { stuck, looked: ids.length, more };
}

/** A task at its second attempt may only have lost its worker: the history tells a failure. */
async function lookAt(client: Client, namespace: string, workflowId: string): Promise<StuckWorkflow | undefined> {
  const execution = { workflowId };
  const service = client.workflowService;
  // One that ended, or was deleted, since it was listed is not stuck.
  const described = await service.describeWorkflowExecution({ namespace, execution }).catch(() => undefined);
  const attempt = described?.pendingWorkflowTask?.attempt ?? 0;
  if (attempt < 2) return undefined;
  const { history } = await service.getWorkflowExecutionHistoryReverse({
    namespace,
    execution,
    maximumPageSize: NEWEST_EVENTS,
  });
  for (const event of history?.events ?? []) {
    if (event.workflowTaskCompletedEventAttributes) return undefined;
    const failed = event.workflowTaskFailedEventAttributes;
    if (!failed) continue;
    const cause = WorkflowTaskFailedCause[failed.cause ?? 0] ?? 'unknown';
    const version = described?.workflowExecutionInfo?.versioningInfo?.deploymentVersion;
    return {
      workflowId,
      attempt,
      cause: cause.replace('WORKFLOW_TASK_FAILED_CAUSE_', ''),
      message: failed.failure?.message ?? '',
      ...(version?.buildId ? { lastBuild: `${version.deploymentName}:${version.buildId}` } : {}),
    };
  }
  return undefined;
}
