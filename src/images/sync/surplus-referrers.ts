import { eachOf } from '../each-of';
import { readImageTree } from '../metadata/image-tree';
import type { ManifestHead } from '../registries/descriptor';
import { isIndex } from '../registries/read-manifest';
import { isReferrersTag, referrersTagsOf } from '../registries/referrers-tag';
import type { Place } from '../registries/registry';
import type { SurplusTag } from '../progress/prune-report';

/** Tags that stay. */
const AT_ONCE = 8;

/** A surplus tag with what it names. */
export interface SurplusImage extends SurplusTag {
  mediaType: string;
}

/**
 * The tags of signatures and other referrers of surplus images, and of the images in a surplus index: they go with them. What a tag that
 * stays names or holds keeps its own. Tags that stay are only looked at if anything would go.
 *
 * @param tags all of the repository
 * @param surplus of the repository
 * @throws RegistryError
 */
export async function referrersOfSurplus(
  place: Place,
  tags: readonly string[],
  surplus: readonly SurplusImage[],
): Promise<SurplusTag[]> {
  const listed = new Set(tags.filter(isReferrersTag));
  if (listed.size === 0 || surplus.length === 0) return [];
  const found = new Map<string, SurplusTag>();
  let staying: Promise<ReadonlySet<string>> | undefined;

  /** @param image the surplus tag that `subject` goes with */
  async function follow({ mediaType: _type, ...image }: SurplusImage, subject: string): Promise<void> {
    for (const tag of referrersTagsOf(subject).filter((one) => listed.has(one))) {
      staying ??= digestsOf(place, without(tags, surplus));
      if ((await staying).has(subject)) return;
      const known = found.get(tag);
      const head = await place.registry.headManifest(place.repository, tag);
      if (head === undefined) continue;
      const images = known?.images ?? [];
      if (images.some((one) => one.tag === image.tag)) continue;
      const named = { tag: image.tag, digest: image.digest };
      found.set(tag, { ...image, tag, digest: head.digest, images: [...images, named] });
      // A signature may itself be signed.
      for (const digest of await digestsIn(place, head)) await follow({ ...image, mediaType: head.mediaType }, digest);
    }
  }

  for (const image of surplus) for (const digest of await digestsIn(place, image)) await follow(image, digest);
  return [...found.values()].sort((one, other) => (one.tag < other.tag ? -1 : 1));
}

function without(tags: readonly string[], surplus: readonly SurplusTag[]): string[] {
  const going = new Set(surplus.map(({ tag }) => tag));
  return tags.filter((tag) => !going.has(tag) && !isReferrersTag(tag));
}

async function digestsOf(place: Place, tags: readonly string[]): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  await eachOf(tags, AT_ONCE, async (tag) => {
    const head = await place.registry.headManifest(place.repository, tag);
    if (head === undefined || digests.has(head.digest)) return;
    for (const digest of await digestsIn(place, head)) digests.add(digest);
  });
  return digests;
}

/** Of an image, and of all images in it; only an index is read. */
async function digestsIn(place: Place, { digest, mediaType }: ManifestHead): Promise<string[]> {
  if (!isIndex(mediaType)) return [digest];
  const { manifests, absent } = await readImageTree(place, digest);
  return [...manifests.map(({ stored }) => stored.digest), ...absent.map((one) => one.digest)];
}
