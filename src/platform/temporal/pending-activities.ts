import type { Client } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';

/** An activity of a running workflow that has not ended, as Temporal describes it. Times are epoch milliseconds. */
export interface PendingActivity {
  activityId: string;
  type: string;
  /** Temporal's word: SCHEDULED, STARTED, CANCEL_REQUESTED, PAUSED or PAUSE_REQUESTED */
  state: string;
  attempt: number;
  /** decoded; undefined when there are none, or when they cannot be read with the client's keys */
  heartbeatDetails?: unknown;
  /** when the next attempt is due, between two attempts */
  nextAttemptAtMs?: number;
  /** the worker that made the last attempt */
  worker?: string;
  /** who paused it, and why, as far as Temporal knows */
  paused?: { by?: string; reason?: string };
}

const { PendingActivityState } = temporal.api.enums.v1;
type Info = temporal.api.workflow.v1.IPendingActivityInfo;

/**
 * The activities of a workflow that have not ended; none when it has.
 *
 * @throws errors of the connection
 */
export async function readPendingActivities(
  client: Client,
  workflow: { workflowId: string; runId?: string },
): Promise<PendingActivity[]> {
  const { workflowId, runId } = workflow;
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  return decodePendingActivities(client, raw.pendingActivities ?? []);
}

/** The same of a workflow that has been described. */
export async function decodePendingActivities(client: Client, pending: readonly Info[]): Promise<PendingActivity[]> {
  return Promise.all(pending.map((info) => decode(client, info)));
}

async function decode(client: Client, info: Info): Promise<PendingActivity> {
  const { activityId, activityType, state, attempt, nextAttemptScheduleTime, lastWorkerIdentity, pauseInfo } = info;
  const heartbeatDetails = await details(client, info);
  return {
    activityId: activityId ?? '',
    type: activityType?.name ?? '',
    state: (PendingActivityState[state ?? 0] ?? '').replace('PENDING_ACTIVITY_STATE_', ''),
    attempt: attempt ?? 1,
    ...(heartbeatDetails === undefined ? {} : { heartbeatDetails }),
    ...(nextAttemptScheduleTime ? { nextAttemptAtMs: toMs(nextAttemptScheduleTime) } : {}),
    ...(lastWorkerIdentity ? { worker: lastWorkerIdentity } : {}),
    ...(info.paused ? { paused: pausedBy(pauseInfo) } : {}),
  };
}

async function details(client: Client, { heartbeatDetails }: Info): Promise<unknown> {
  try {
    return await decodeFromPayloadsAtIndex(client.options.loadedDataConverter, 0, heartbeatDetails?.payloads);
  } catch {
    return undefined;
  }
}

function pausedBy(pauseInfo: Info['pauseInfo']): NonNullable<PendingActivity['paused']> {
  const { identity, reason } = pauseInfo?.manual ?? {};
  return { ...(identity ? { by: identity } : {}), ...(reason ? { reason } : {}) };
}

function toMs({ seconds, nanos }: { seconds?: unknown; nanos?: number | null }): number {
  return Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6);
}
