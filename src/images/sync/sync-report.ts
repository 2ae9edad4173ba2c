import type { CopyOutcome } from '../copying/copy-image';
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
  /** what the tag named before, if it named another image */
  replaced?: string;
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
  /** of policies that replicate it although its signature is not verified */
  warnings: readonly { policyId: string; reason: string }[];
}

/** What a sync did, or would do in a dry run. */
export interface SyncReport {
  dryRun: boolean;
  /** copies, one for each target */
  tagsCopied: number;
  /** targets that had the image, or keep their own */
  tagsSkipped: number;
  /** images that policies block */
  tagsBlocked: number;
  /** images that no policy replicates */
  tagsUnmatched: number;
  errors: readonly SyncError[];
  /** sent, or to be sent */
  bytes: number;
  blobsSkipped: number;
  /** in order of their names */
  images: readonly SyncedImage[];
}

export interface SyncError extends ImageFault {
  /** the image, or the repository or registry that could not be listed */
  source: string;
}

/** @param listing errors of repositories and registries that could not be listed */
export function reportOf(images: readonly SyncedImage[], failures: readonly SyncError[], dryRun: boolean): SyncReport {
  const targets = images.flatMap((image) => image.targets);
  const having = (...outcomes: SyncedTarget['outcome'][]) =>
    targets.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const present = images.filter(({ status, targets: own }) => status === 'skipped' && own.length === 0).length;
  return {
    dryRun,
    tagsCopied: having('copied'),
    tagsSkipped: having('unchanged', 'kept') + present,
    tagsBlocked: images.filter(({ status }) => status === 'blocked').length,
    tagsUnmatched: images.filter(({ status }) => status === 'unmatched').length,
    errors: failures,
    bytes: targets.reduce((sum, { bytes }) => sum + bytes, 0),
    blobsSkipped: targets.reduce((sum, { blobsSkipped }) => sum + blobsSkipped, 0),
    images: [...images].sort((one, other) => (one.source < other.source ? -1 : one.source > other.source ? 1 : 0)),
  };
}
