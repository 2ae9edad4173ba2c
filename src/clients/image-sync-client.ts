import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { BatchBeat } from '../activities/image-activities';
import type { SyncStatus } from '../images/progress/sync-progress';
import { addTotals } from '../images/progress/sync-totals';
import { parseDuration } from '../kernel/duration';
import { IMAGE_SYNC_WORKFLOW, imageSyncWorkflowIdOf } from '../kernel/names';
import { decodePendingActivities } from '../platform/temporal/pending-activities';
import type { LoadedSettings } from '../settings/load-settings';
import type { ImageSyncInput } from '../workflows/image-sync';
import { isUnanswered } from './is-unanswered';
import { openTemporal } from './open-temporal';

/** A sync as Temporal knows it. */
export type FoundSync =
  /** `closed` once Temporal has its end: a run that tells its end by itself is still there, and the next start would find it */
  | { found: 'status'; status: SyncStatus; under: UnderWay; closed: boolean }
  /** no worker answered in time */
  | { found: 'unanswered' }
  /** it ended without a result */
  | { found: 'ended'; how: string }
  | { found: 'unknown' };

/** What of a batch is under way. */
export interface UnderWay {
  /** of the images that are being copied now */
  bytes: number;
  /** attempts at the batch; more than one if a worker died, or something is out of reach */
  attempt: number;
}

/** A sync as a list shows it. */
export interface ListedSync {
  workflowId: string;
  /** of Temporal, in lower case */
  status: string;
  /** RFC 3339 */
  startedAt: string;
  /** RFC 3339; absent while it runs */
  closedAt?: string;
}

export interface ImageSyncClientOptions {
  client: Client;
  taskQueue: string;
  workflowTaskTimeoutMs?: number;
  /** how long a query may take */
  deadlineMs: number;
}

/** Starts and watches syncs of images. */
export class ImageSyncClient {
  constructor(private readonly options: ImageSyncClientOptions) {}

  /** Starts a sync, or finds the one of the same policies that runs: `started` is false then. */
  async start(input: Omit<ImageSyncInput, 'carried'>): Promise<{ workflowId: string; started: boolean }> {
    const { client, taskQueue, workflowTaskTimeoutMs } = this.options;
    const workflowId = imageSyncWorkflowIdOf(taskQueue, input.policies);
    try {
      await client.workflow.start(IMAGE_SYNC_WORKFLOW, {
        workflowId,
        taskQueue,
        args: [input satisfies ImageSyncInput],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        ...(workflowTaskTimeoutMs === undefined ? {} : { workflowTaskTimeout: workflowTaskTimeoutMs }),
      });
      return { workflowId, started: true };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return { workflowId, started: false };
      throw error;
    }
  }

  /** The newest run under this id. */
  async status(workflowId: string): Promise<FoundSync> {
    const { client, deadlineMs } = this.options;
    const handle = client.workflow.getHandle(workflowId);
    try {
      const { status, raw } = await handle.describe();
      if (status.name === 'COMPLETED')
        return {
          ...{ found: 'status', status: (await handle.result()) as SyncStatus, under: NOTHING_UNDER_WAY },
          closed: true,
        };
      if (status.name !== 'RUNNING') return { found: 'ended', how: status.name.toLowerCase() };
      const query = () => handle.query<SyncStatus>('status');
      const known = await client.withDeadline(Date.now() + deadlineMs, query);
      const [batch] = (await decodePendingActivities(client, raw.pendingActivities ?? [])).filter(
        ({ type }) => type === 'syncImages',
      );
      const beat = batch?.heartbeatDetails as BatchBeat | undefined;
      return { found: 'status', ...withBeat(known, beat, batch?.attempt), closed: false };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { found: 'unknown' };
      if (isUnanswered(error)) return { found: 'unanswered' };
      throw error;
    }
  }

  /** The newest first; the list may lag behind by seconds. */
  async list(limit: number): Promise<ListedSync[]> {
    const { client, taskQueue } = this.options;
    const query = `WorkflowType = '${IMAGE_SYNC_WORKFLOW}' AND TaskQueue = '${taskQueue}' AND ExecutionStatus != 'ContinuedAsNew'`;
    const listed: ListedSync[] = [];
    for await (const { workflowId, status, startTime, closeTime } of client.workflow.list({ query })) {
      if (listed.length >= limit) break;
      listed.push({
        workflowId,
        status: status.name.toLowerCase(),
        startedAt: startTime.toISOString(),
        ...(closeTime === undefined ? {} : { closedAt: closeTime.toISOString() }),
      });
    }
    return listed.sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
  }
}

const NOTHING_UNDER_WAY: UnderWay = { bytes: 0, attempt: 1 };

/** The status with what the batch under way has done. */
function withBeat(
  status: SyncStatus,
  beat: BatchBeat | undefined,
  attempt = 1,
): { status: SyncStatus; under: UnderWay } {
  if (beat === undefined) return { status, under: { bytes: 0, attempt } };
  const totals = addTotals(status.totals, beat.totals);
  return {
    status: { ...status, totals, total: Math.max(beat.total, totals.images), notes: [...status.notes, ...beat.notes] },
    under: { bytes: beat.bytesUnderWay, attempt },
  };
}

/** A client of syncs with the connection that it was opened with. */
export interface OpenedImageSyncs {
  syncs: ImageSyncClient;
  /** that the syncs of these settings have */
  taskQueue: string;
  close(): Promise<void>;
}

/**
 * @param deadlineMs how long the server may take to answer, and then a query
 * @throws GateError ConfigInvalid as `openTemporal`; errors of the connection
 */
export async function openImageSyncs(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  deadlineMs: number,
): Promise<OpenedImageSyncs> {
  const { client, connection } = await openTemporal(loaded, env, deadlineMs);
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
  const workflowTaskTimeoutMs = parseDuration(workflowTaskTimeout);
  const syncs = new ImageSyncClient({ client, taskQueue, workflowTaskTimeoutMs, deadlineMs });
  return { syncs, taskQueue, close: () => connection.close() };
}
