import type { ImageDecision } from './decision/decision';
import type { ImageErrorCode } from './image-error';
import type { PrunedTag } from './progress/prune-report';
import type { SyncedImage } from './progress/sync-report';

/** What syncs of images report. Each hook is a plain function that throws nothing. */
export interface ImageMetrics {
  /** these policies are in force from now on, and no others */
  inForce(policyIds: readonly string[]): void;
  decided(decision: ImageDecision): void;
  /** what became of an image */
  did(image: SyncedImage): void;
  /** what became of a surplus tag of a target */
  pruned(tag: PrunedTag): void;
  /** something could not be read or listed */
  failed(code: ImageErrorCode): void;
  /** a registry is left alone for a while, or is asked again */
  circuit(registry: string, isOpen: boolean): void;
  /** images that a policy replicates and that a target lacks, once a sync has ended */
  behind(policyId: string, images: number): void;
}
