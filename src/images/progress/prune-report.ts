import type { ImageFault } from '../image-error';

/** A tag of a target that no image of the sources goes to. */
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
}

/** A repository whose tags stay all, or a policy of which nothing is deleted, and why. */
export interface UnprunedTarget {
  /** `registry/repository`, with the fields of templates where nothing is known of its name */
  target: string;
  policyId: string;
  error: ImageFault;
}

export interface PrunePlan {
  /** in order of their names; at most `maxDeletes` of each action, and 1,000 in all */
  surplus: readonly SurplusTag[];
  left: readonly UnprunedTarget[];
}

/**
 * `deleted`; `listed`: it would be, and the policy or the command asks for a dry run; `moved`: it names another image by now, and stays;
 * `failed`.
 */
export type PruneOutcome = 'deleted' | 'listed' | 'moved' | 'failed';

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
