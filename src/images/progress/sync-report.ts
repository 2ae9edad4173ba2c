import type { CopyOutcome } from '../copy-options';
import type { ImageFault } from '../image-error';

/** One copy of an image, or what it would be in a dry run. */
export interface SyncedTarget {
  /** `registry/repository:tag` */
  target: string;
  /** the policy that chose it; null for the mapping */
  policyId: string | null;
  outcome: CopyOutcome | 'failed';
  /** of the image at the target; absent for a failed copy */
  digest?: string;
  /** sent, or to be sent */
  blobs: number;
  bytes: number;
  /** that the target had */
  blobsSkipped: number;
  /** digests of signatures and other referrers that were copied */
  referrers: readonly string[];
  /** digests that the source lacks, with `incomplete: copy` */
  absent: readonly string[];
  /** digests of foreign layers, which are skipped */
  foreign: readonly string[];
  /** the repository was missing: it was created for the copy, or would be in a dry run */
  createsRepository?: true;
  /** what the tag named before, if it named another image */
  replaced?: string;
  /** the tag under which that image was kept */
  backup?: string;
  error?: ImageFault;
}

/**
 * `copied`: to at least one target; `skipped`: every target has it, or keeps its own; `unmatched`: no policy replicates it;
 * `failed`: at least one error.
 */
export type SyncedStatus = 'copied' | 'skipped' | 'blocked' | 'unmatched' | 'failed';

export interface SyncedImage {
  /** `registry/repository:tag` */
  source: string;
  /** digests that the tag named: more than one if it moved during the copy; none if the source was not asked */
  digests: readonly string[];
  status: SyncedStatus;
  /** why it is blocked, unmatched or failed */
  reason?: string;
  targets: readonly SyncedTarget[];
  /** at least one if it failed */
  errors: readonly ImageFault[];
  /** ids of the policies that want people to be told of it; absent where there is nothing new */
  notify?: readonly string[];
  /** of policies that replicate it although its signature is not verified */
  warnings: readonly { policyId: string; reason: string }[];
}

export interface SyncError extends ImageFault {
  /** the image, or the repository or registry that could not be listed */
  source: string;
}
