import type { CarryOutOptions } from './carry-out';
import { survey } from './survey';
import { syncBatch } from './sync-batch';
import type { SyncContext } from './sync-context';
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
  const inOrder = images.sort((one, other) => (one.source < other.source ? -1 : one.source > other.source ? 1 : 0));
  return { totals: { ...totals, errors: totals.errors + unlisted.length }, images: inOrder, unlisted };
}
