import { eachOf } from '../each-of';
import { isReferrersTag } from '../registries/referrers-tag';
import type { Place } from '../registries/registry';
import { RegistryError } from '../registries/registry-error';

/** How the tags of a target differ from those of its source. */
export interface RepositoryDiff {
  /** tags that name one image at both */
  same: number;
  /** tags that the target does not have, in order */
  missing: readonly string[];
  /** tags that name different images, in order */
  different: readonly { tag: string; sourceDigest: string; targetDigest: string }[];
  /** tags that only the target has, in order; tags for referrers are not among them */
  extra: readonly string[];
}

/**
 * Compares two repositories by one HEAD for each tag on each side.
 *
 * @throws RegistryError; `missing` where the source has no tags: an answer that nothing differs would hide a wrong name
 */
export async function diffRepositories(source: Place, target: Place, concurrency = 8): Promise<RepositoryDiff> {
  const [wanted, held] = await Promise.all([tagsOf(source), tagsOf(target)]);
  if (wanted.size === 0) {
    const { registry, repository } = source;
    throw new RegistryError('missing', `${registry.name} has no repository ${repository}, or it has no tags`);
  }
  const missing = [...wanted].filter((tag) => !held.has(tag));
  const different: { tag: string; sourceDigest: string; targetDigest: string }[] = [];
  let same = 0;
  const common = [...wanted].filter((tag) => held.has(tag));
  await eachOf(common, concurrency, async (tag) => {
    const [from, to] = await Promise.all(
      [source, target].map(({ registry, repository }) => registry.headManifest(repository, tag)),
    );
    // A tag that was deleted since the listing is missing.
    if (from === undefined) return;
    if (to === undefined) missing.push(tag);
    else if (from.digest === to.digest) same += 1;
    else different.push({ tag, sourceDigest: from.digest, targetDigest: to.digest });
  });
  return {
    same,
    missing: missing.sort(),
    different: different.sort((one, other) => (one.tag < other.tag ? -1 : 1)),
    extra: [...held].filter((tag) => !wanted.has(tag)).sort(),
  };
}

async function tagsOf({ registry, repository }: Place): Promise<Set<string>> {
  const tags = new Set<string>();
  for await (const page of registry.listTags(repository))
    for (const tag of page) if (!isReferrersTag(tag)) tags.add(tag);
  return tags;
}
