import type { BatchResult, Behind, SyncCursor, SyncState } from '../images/progress/sync-progress';
import type { PrunePlan, PruneReport } from '../images/progress/prune-report';
import type { SyncTotals } from '../images/progress/sync-totals';

// Types only: workflows import this file with `import type`.

/** How syncs of images behave; read once, when one begins. */
export interface ImageSyncDefaults {
  /** images of one batch */
  batchImages: number;
  /** milliseconds after which a batch begins no further image */
  batchMs: number;
  heartbeatTimeoutMs: number;
  /** whether policies of the sync prune */
  prunes?: boolean;
  /** a sync continues as new beyond this many events */
  historyLimit?: number;
}

/** Which sync it is, for records and for what a worker keeps of it in memory. */
export interface SyncIdentity {
  /** the first run in Temporal */
  sync: string;
  workflowId: string;
  actor: string;
  /** ids of the policies that replicate; absent, all */
  policies?: readonly string[];
}

export interface SyncImagesRequest extends SyncIdentity {
  /** how far the sync is; absent at its beginning */
  after?: SyncCursor;
  batchImages: number;
  batchMs: number;
  /** also asks for new referrers of unchanged images */
  allReferrers: boolean;
}

/** What the heartbeats of a batch say: what is done of it, and what is under way. */
export interface BatchBeat extends Omit<BatchResult, 'after'> {
  /** images that are done, so that the next attempt leaves them out */
  done: readonly string[];
  /** of the images under way */
  bytesUnderWay: number;
}

export interface PruneTagsRequest extends SyncIdentity {
  plan: PrunePlan;
}

export interface RecordSyncEndRequest extends SyncIdentity {
  state: SyncState;
  reason: string;
  totals: SyncTotals;
  behind?: Behind;
}

/** What a sync of images does outside its workflow. Each is safe to run twice. */
export interface ImageActivities {
  /** throws ConfigInvalid: policies with faults, an unknown id, nowhere that images come from */
  readSyncDefaults(request: { policies?: readonly string[] }): Promise<ImageSyncDefaults>;
  /**
   * Decides about the next images, records what it decided, and copies. What a registry does is in the result; throws
   * AuditWriteFailed, and ConfigInvalid as above.
   */
  syncImages(request: SyncImagesRequest): Promise<BatchResult>;
  /** What surplus tags the targets have once all images are done; throws ConfigInvalid as above. */
  planPrune(request: SyncIdentity): Promise<PrunePlan>;
  /**
   * Deletes the tags of a plan one after the other, each once that is recorded. One that moved since stays, so that a second attempt
   * deletes nothing more than the plan says.
   */
  pruneTags(request: PruneTagsRequest): Promise<PruneReport>;
  recordSyncEnd(request: RecordSyncEndRequest): Promise<void>;
}
