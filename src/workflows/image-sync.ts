import {
  ActivityCancellationType,
  ActivityFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { ImageActivities, ImageSyncDefaults, SyncIdentity } from '../activities/image-activities';
import {
  newSync,
  summariseSync,
  SyncState,
  withBatch,
  withPruned,
  type SyncProgress,
  type SyncStatus,
} from '../images/progress/sync-progress';
import { FailureType } from '../kernel/failures';
import { toFault } from './gate/activity-errors';
import { imageSyncStatusQuery } from './images/sync-messages';
import { readableCarried } from './parts/readable-carried';
import { shouldContinueAsNew } from './parts/should-continue-as-new';
import { WorkflowView } from './parts/view';

const CARRIED_VERSION = 1;

export interface CarriedImageSync {
  version: number;
  now: SyncProgress;
  defaults: ImageSyncDefaults;
}

export interface ImageSyncInput {
  /** ids of the policies that replicate; those that block always apply @default all */
  policies?: readonly string[];
  /** also asks for new referrers of unchanged images */
  allReferrers?: boolean;
  /** who started it, for the audit log */
  actor: string;
  carried?: CarriedImageSync;
}

/** Never gives up: an outage of the store of records or of the policies' folder ends by itself, and the sync then continues. */
const untilKnown = proxyActivities<ImageActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/**
 * Replicates what image policies say, a batch of images after the other: each batch decides about its images, records what it
 * decided, copies, and verifies. A worker that dies loses nothing: the next attempt leaves out what is done, and what a target
 * has is not sent again.
 */
export async function imageSync(input: ImageSyncInput): Promise<SyncStatus> {
  const { policies, actor, allReferrers = false } = input;
  const carried = readableCarried(input.carried, CARRIED_VERSION);
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const identity: SyncIdentity = {
    ...{ sync: firstExecutionRunId, workflowId, actor },
    ...(policies === undefined ? {} : { policies }),
  };
  let now = carried?.now ?? newSync(Date.now());
  let defaults = carried?.defaults;
  const status = (): SyncStatus => {
    const { workflowId: _id, ...shown } = identity;
    return { ...shown, ...now };
  };
  setHandler(imageSyncStatusQuery, status);
  const view = new WorkflowView({ details: () => summariseSync(now), attributes: () => [] });
  const change = (next: SyncProgress): void => {
    now = next;
    view.publish();
  };
  const end = async (state: SyncState, more: Partial<SyncProgress> = {}): Promise<void> => {
    change({ ...now, ...more, state, endedAtMs: Date.now() });
    const { totals, behind } = now;
    const told = { ...identity, state, reason: summariseSync(now), totals };
    await untilKnown.recordSyncEnd({ ...told, ...(behind === undefined ? {} : { behind }) });
  };

  try {
    defaults ??= await untilKnown.readSyncDefaults(policies === undefined ? {} : { policies });
    const { syncImages } = syncing(defaults);
    for (;;) {
      if (shouldContinueAsNew(workflowInfo(), defaults.historyLimit)) {
        const state: CarriedImageSync = { version: CARRIED_VERSION, now, defaults };
        await continueAsNew<typeof imageSync>({ ...input, carried: state });
      }
      const { batchImages, batchMs } = defaults;
      const after = now.after === undefined ? {} : { after: now.after };
      const batch = await syncImages({ ...identity, ...after, batchImages, batchMs, allReferrers });
      change(withBatch(now, batch));
      if (batch.after === undefined) break;
    }
    if (defaults.prunes === true) {
      const pruning = pruningWith(defaults);
      const plan = await pruning.planPrune(identity);
      change(
        withPruned(
          now,
          plan.surplus.length === 0 ? { tags: [], left: plan.left } : await pruning.pruneTags({ ...identity, plan }),
        ),
      );
    }
    await end(SyncState.done);
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() => end(SyncState.cancelled));
      throw error;
    }
    // Anything else is no answer of an activity: continue-as-new, or a mistake in this code.
    if (!(error instanceof ActivityFailure)) throw error;
    await end(SyncState.failed, { fault: toFault(error, FailureType.ActionFailed) });
  }
  return status();
}

/** Both beat, and take as long as the registries do. */
function pruningWith({ heartbeatTimeoutMs }: ImageSyncDefaults): Pick<ImageActivities, 'planPrune' | 'pruneTags'> {
  return proxyActivities<ImageActivities>({
    startToCloseTimeout: '1d',
    heartbeatTimeout: heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', maximumInterval: '1m' },
    summary: 'surplus tags',
  });
}

/** A cancellation is waited for: only then it is known what was copied. */
function syncing({ heartbeatTimeoutMs }: ImageSyncDefaults): Pick<ImageActivities, 'syncImages'> {
  return proxyActivities<ImageActivities>({
    startToCloseTimeout: '7d',
    heartbeatTimeout: heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', maximumInterval: '1m' },
    summary: 'the next images',
  });
}
