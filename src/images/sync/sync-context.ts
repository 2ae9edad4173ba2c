import type { ImageConditionTypes } from '../conditions/condition-type';
import type { DecideOptions } from '../decision/decide-image';
import type { ImageMetrics } from '../image-metrics';
import type { MetadataCache } from '../metadata/read-metadata';
import type { TagChooser } from '../policies/choose-tags';
import type { ImagePolicySet } from '../policies/image-policy';
import type { Registry } from '../registries/registry';

/** What a sync works with. */
export interface SyncContext {
  set: ImagePolicySet;
  /** every policy in force, whichever replicate now @default `set` */
  all?: ImagePolicySet;
  /** how images are decided about */
  decide: Omit<DecideOptions, 'nowMs' | 'clockNs' | 'isLatest'>;
  /** the registry of a host */
  open(host: string): Registry;
  cache: MetadataCache;
  /** of a program's own @default none */
  conditionTypes?: ImageConditionTypes;
  /** @default none */
  metrics?: ImageMetrics;
  /** epoch milliseconds */
  nowMs(): number;
  /** nanoseconds of a clock that only goes forward */
  clockNs(): number;
}

/** The host of a registry that policies name. */
export function hostOf({ decide }: { decide: Pick<SyncContext['decide'], 'registries'> }, name: string): string {
  return decide.registries?.get(name) ?? name;
}

/** A tag of a repository that may be replicated. */
export interface Candidate {
  /** a host */
  registry: string;
  repository: string;
  tag: string;
  isLatest(set: TagChooser, tag: string): boolean;
  /** whether the repository has a tag for referrers of an image: a fallback index, or cosign's */
  hasReferrersTag(digest: string): boolean;
  /** the same, and true where that was not seen lately: then the registry is asked */
  mayHaveReferrersTag(digest: string): boolean;
}

export function nameOf({ registry, repository, tag }: Pick<Candidate, 'registry' | 'repository' | 'tag'>): string {
  return `${registry}/${repository}:${tag}`;
}
