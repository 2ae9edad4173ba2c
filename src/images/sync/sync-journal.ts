import type { PlannedImage, PlannedTarget } from './plan-image';
import type { PrunedTag, SurplusTag } from '../progress/prune-report';
import type { SyncedTarget } from '../progress/sync-report';

/** Where a sync keeps what it decides and does. What is told is durable when a method resolves. */
export interface SyncJournal extends PruneJournal {
  /** an image is about to be copied; may be told more than once */
  decided(planned: PlannedImage): Promise<void>;
  /** the repository of a target is missing and about to be created; may be told more than once */
  creating(planned: PlannedImage, target: PlannedTarget): Promise<void>;
  /**
   * An image is blocked, or its policies could not be evaluated.
   *
   * @returns whether this was not told before, by this sync or an earlier one
   */
  refused(planned: PlannedImage): Promise<boolean>;
  /** what became of a copy to one target */
  acted(planned: PlannedImage, done: SyncedTarget): Promise<void>;
  /**
   * Whether an earlier attempt of this sync copied an image to a target: `told` if that is kept, `untold` if only its beginning
   * is. What such an attempt did counts for the sync, whose report of it may be lost.
   */
  copiedBefore(planned: PlannedImage, target: string): Promise<'told' | 'untold' | undefined>;
}

export interface PruneJournal {
  /** a tag is about to be deleted; may be told more than once */
  pruning(surplus: SurplusTag): Promise<void>;
  /** what became of it */
  pruned(surplus: SurplusTag, done: PrunedTag): Promise<void>;
}
