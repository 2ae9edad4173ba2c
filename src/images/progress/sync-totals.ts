import type { SyncedImage, SyncedTarget } from './sync-report';

/** What a sync did so far, or would do in a dry run. */
export interface SyncTotals {
  /** images that were decided about */
  images: number;
  /** copies, one for each target */
  tagsCopied: number;
  /** targets that had the image, or keep their own */
  tagsSkipped: number;
  /** images that policies block */
  tagsBlocked: number;
  /** images that no policy replicates */
  tagsUnmatched: number;
  errors: number;
  /** sent, or to be sent */
  bytes: number;
  /** that the targets had */
  blobsSkipped: number;
}

export const NO_TOTALS: SyncTotals = {
  images: 0,
  tagsCopied: 0,
  tagsSkipped: 0,
  tagsBlocked: 0,
  tagsUnmatched: 0,
  errors: 0,
  bytes: 0,
  blobsSkipped: 0,
};

/** Of one image. */
export function totalsOf({ status, targets, errors }: SyncedImage): SyncTotals {
  const having = (...outcomes: SyncedTarget['outcome'][]) =>
    targets.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const isPresent = status === 'skipped' && targets.length === 0;
  return {
    images: 1,
    tagsCopied: having('copied'),
    tagsSkipped: having('unchanged', 'kept') + (isPresent ? 1 : 0),
    tagsBlocked: status === 'blocked' ? 1 : 0,
    tagsUnmatched: status === 'unmatched' ? 1 : 0,
    errors: errors.length,
    bytes: targets.reduce((sum, { bytes }) => sum + bytes, 0),
    blobsSkipped: targets.reduce((sum, { blobsSkipped }) => sum + blobsSkipped, 0),
  };
}

export function addTotals(one: SyncTotals, other: SyncTotals): SyncTotals {
  return {
    images: one.images + other.images,
    tagsCopied: one.tagsCopied + other.tagsCopied,
    tagsSkipped: one.tagsSkipped + other.tagsSkipped,
    tagsBlocked: one.tagsBlocked + other.tagsBlocked,
    tagsUnmatched: one.tagsUnmatched + other.tagsUnmatched,
    errors: one.errors + other.errors,
    bytes: one.bytes + other.bytes,
    blobsSkipped: one.blobsSkipped + other.blobsSkipped,
  };
}
