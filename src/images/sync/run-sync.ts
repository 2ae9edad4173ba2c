import type { CarryOutOptions } from './carry-out';
import { planPrune, prunes } from './plan-prune';
import { pruneTag } from './prune-tag';
import { survey } from './survey';
import { syncBatch } from './sync-batch';
import type { SyncContext } from './sync-context';
import { NOTHING_PRUNED, pruneErrors, type PrunedTag, type PruneReport } from '../progress/prune-report';
import type { SyncedImage, SyncError } from '../progress/sync-report';
import { addTotals, NO_TOTALS, totalsOf, type SyncTotals } from '../progress/sync-totals';

export interface SyncOptions extends CarryOutOptions {
  /** images at once @default 4 */
  concurrency?: number;
  /** called for each image once it is done */
  onImage?(image: SyncedImage): void;
}

/** What a sync did, or would do in a dry run. */
export interface SyncReport {
  totals: SyncTotals;
  /** in order of their names */
  images: readonly SyncedImage[];
  /** what could not be listed */
  unlisted: readonly SyncError[];
  /** what became of surplus tags of the targets */
  pruned: PruneReport;
}

/**
 * A whole sync in one go, as a dry run needs it: what it finds is kept in memory.
 *
 * @throws nothing for what a registry does: it is in the report
 */
export async function runSync(context: SyncContext, options: SyncOptions = {}): Promise<SyncReport> {
  const { onImage } = options;
  const found = await survey(context, options);
  const unlisted: SyncError[] = [...found.errors];
  const images: SyncedImage[] = [];
  let totals = NO_TOTALS;
  await syncBatch(context, found, {
    ...options,
    onError: (error) => unlisted.push(error),
    onImage: (image) => {
      images.push(image);
      totals = addTotals(totals, totalsOf(image));
      onImage?.(image);
    },
  });
  const pruned = await prune(context, options);
  const inOrder = images.sort((one, other) => (one.source < other.source ? -1 : one.source > other.source ? 1 : 0));
  const errors = totals.errors + unlisted.length + pruneErrors(pruned);
  return { totals: { ...totals, errors }, images: inOrder, unlisted, pruned };
}

/** What is surplus once all images are done; in a dry run it is listed. */
async function prune(context: SyncContext, { dryRun = false, journal, signal }: SyncOptions): Promise<PruneReport> {
  if (!prunes(context) || signal?.aborted === true) return NOTHING_PRUNED;
  const { surplus, left } = await planPrune(context);
  const tags: PrunedTag[] = [];
  for (const one of surplus)
    tags.push(await pruneTag(context, dryRun ? { ...one, isDeleted: false } : one, journal, surplus));
  return { tags, left };
}
