import type { ImageFault } from '../image-error';

/** A tag of a target that no image of the sources goes to, or that belongs to such an image. */
export interface SurplusTag {
  /** a host */
  registry: string;
  repository: string;
  tag: string;
  /** what it named when the plan was made */
  digest: string;
  policyId: string;
  /** false: it is only listed, as its policy has `prune: dry-run` */
  isDeleted: boolean;
  /** of a tag of referrers: the surplus tags whose images it belongs to, with what they named; it goes once they are gone */
  images?: readonly { tag: string; digest: string }[];
}

/** A repository whose tags stay all, or a policy of which nothing is deleted, and why. */
export interface UnprunedTarget {
  /** `registry/repository`, with the fields of templates where nothing is known of its name */
  target: string;
  policyId: string;
  error: ImageFault;
}

export interface PrunePlan {
  /** images before what belongs to them; at most `maxDeletes` images of each action, and 1,000 tags in all */
  surplus: readonly SurplusTag[];
  left: readonly UnprunedTarget[];
}

/**
 * `deleted`; `listed`: it would be, and the policy or the command asks for a dry run; `moved`: it names another image by now, and stays;
 * `kept`: it belongs to an image that is still there; `failed`.
 */
export type PruneOutcome = 'deleted' | 'listed' | 'moved' | 'kept' | 'failed';

/** What became of a tag. */
export interface PrunedTag {
  /** `registry/repository:tag` */
  target: string;
  policyId: string;
  digest: string;
  outcome: PruneOutcome;
  error?: ImageFault;
}

export interface PruneReport {
  tags: readonly PrunedTag[];
  left: readonly UnprunedTarget[];
}

export const NOTHING_PRUNED: PruneReport = { tags: [], left: [] };

/** Errors of a report, for the totals. */
export function pruneErrors({ tags, left }: PruneReport): number {
  return tags.filter(({ outcome }) => outcome === 'failed').length + left.length;
}
