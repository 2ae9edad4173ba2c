import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { shortText } from '../../../kernel/short-text';

/** A running workflow whose workflow task fails again and again: it waits, and loses nothing. */
export interface WedgedWorkflow {
  workflowId: string;
  /** attempts of the present workflow task */
  attempt: number;
  /** Temporal's word for the cause, such as `NON_DETERMINISTIC_ERROR` */
  cause: string;
  message: string;
  /** epoch milliseconds: when the first attempt failed */
  sinceMs: number;
  /** the build that completed its newest workflow task, for one that ran on versioned workers */
  lastBuild?: string;
}

export interface WedgedSearch {
  wedged: WedgedWorkflow[];
  /** how many running workflows were looked at, the newest first */
  looked: number;
  /** whether there are more than were looked at */
  more: boolean;
}

const LOOKED_AT_MOST = 1_000;
const SIDE_BY_SIDE = 10;
/** A failed attempt leaves three events, later attempts of the same task leave none; signals come in meanwhile. */
const NEWEST_EVENTS = 100;
const { TimeoutType, WorkflowTaskFailedCause } = temporal.api.enums.v1;
/** Only the first attempt of a task leaves its end in the history: where that one ran out of time, the failures after it are not told. */
const TIMED_OUT = { cause: 'TIMED_OUT', message: 'no attempt ended in time; the log of the worker says why' };

/**
 * Finds the workflows of a task queue whose workflow task failed and is tried again.
 *
 * @throws errors of the connection
 */
export async function findWedgedWorkflows(client: Client, namespace: string, taskQueue: string): Promise<WedgedSearch> {
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  const wedged: WedgedWorkflow[] = [];
  const ids: string[] = [];
  let more = false;
  for await (const { workflowId } of client.workflow.list({ query })) {
    more = ids.length === LOOKED_AT_MOST;
    if (more) break;
    ids.push(workflowId);
  }
  for (let index = 0; index < ids.length; index += SIDE_BY_SIDE) {
    const found = await Promise.all(
      ids.slice(index, index + SIDE_BY_SIDE).map((workflowId) => wedgedWorkflow(client, namespace, workflowId)),
    );
    wedged.push(...found.filter((one) => one !== undefined));
  }
  return { wedged, looked: ids.length, more };
}

/**
 * The running workflow, if its workflow task failed and is tried again. A task that ran out of time may only have lost its
 * worker: it counts from the third attempt on.
 *
 * @returns undefined too for one that has ended, or is not there
 * @throws errors of the connection
 */
export async function wedgedWorkflow(
  { workflowService: service }: Pick<Client, 'workflowService'>,
  namespace: string,
  workflowId: string,
): Promise<WedgedWorkflow | undefined> {
  const execution = { workflowId };
  // One that ended, or was deleted, since it was listed is not wedged.
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
    const found = failureOf(event);
    if (!found || (found === TIMED_OUT && attempt < LEAST_ATTEMPTS)) continue;
    const version = described?.workflowExecutionInfo?.versioningInfo?.deploymentVersion;
    return {
      workflowId,
      attempt,
      ...found,
      sinceMs: Number(event.eventTime?.seconds ?? 0) * 1000,
      ...(version?.buildId ? { lastBuild: `${version.deploymentName}:${version.buildId}` } : {}),
    };
  }
  return undefined;
}

function failureOf(event: temporal.api.history.v1.IHistoryEvent): { cause: string; message: string } | undefined {
  const timedOut = event.workflowTaskTimedOutEventAttributes;
  if (timedOut?.timeoutType === TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE) return TIMED_OUT;
  const failed = event.workflowTaskFailedEventAttributes;
  if (!failed) return undefined;
  const cause = WorkflowTaskFailedCause[failed.cause ?? 0] ?? 'unknown';
  return { cause: cause.replace('WORKFLOW_TASK_FAILED_CAUSE_', ''), message: failed.failure?.message ?? '' };
}

/** A workflow task may fail once or twice while a worker is exchanged. */
const LEAST_ATTEMPTS = 3;

/** Whether the attempts of its workflow task rise. */
export const isWedged = ({ attempt }: Pick<WedgedWorkflow, 'attempt'>): boolean => attempt >= LEAST_ATTEMPTS;

/** Characters of a failure's message that people are shown. */
const SHOWN_MESSAGE = 200;

/** One sentence about it. */
export function wedgedText({ workflowId, attempt, cause, message, lastBuild }: WedgedWorkflow): string {
  const build = lastBuild === undefined ? '' : `, last run by build ${lastBuild}`;
  const shown = shortText(message.split('\n')[0] ?? '', SHOWN_MESSAGE);
  return `${workflowId} waits with a failing workflow task (attempt ${attempt}, ${cause}${build}): ${shown}`;
}

/** What a person can do about it. */
export const WEDGED_ADVICE =
  'It loses nothing and continues when a worker can run it: one of the build that ran it last or of a newer release, with the keys that its payloads need';
