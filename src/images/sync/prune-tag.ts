import { isIndex, readManifest } from '../registries/read-manifest';
import { RegistryError } from '../registries/registry-error';
import type { Place } from '../registries/registry';
import { toImageError } from '../registries/to-image-error';
import type { PrunedTag, SurplusTag } from '../progress/prune-report';
import { nameOf, type SyncContext } from './sync-context';
import type { PruneJournal } from './sync-journal';

/**
 * Deletes a surplus tag, once that is recorded. A tag that moved since the plan stays. Where a registry deletes no tags alone the
 * image is deleted by its digest, unless anything that stays in the repository needs it; other surplus tags of the image go with it.
 *
 * @param plan all that is surplus
 * @throws what the journal throws: nothing was deleted then
 */
export async function pruneTag(
  context: SyncContext,
  surplus: SurplusTag,
  journal?: PruneJournal,
  plan: readonly SurplusTag[] = [],
): Promise<PrunedTag> {
  const { repository, tag, digest, policyId } = surplus;
  const about = { target: nameOf(surplus), policyId, digest };
  if (!surplus.isDeleted) return { ...about, outcome: 'listed' };
  const place = { registry: context.open(surplus.registry), repository };
  let isBegun = false;
  let done: PrunedTag;
  try {
    const head = await place.registry.headManifest(repository, tag);
    if (head !== undefined && head.digest !== digest) return { ...about, outcome: 'moved' };
    if (await isNeeded(place, surplus)) return { ...about, outcome: 'kept' };
    await journal?.pruning(surplus);
    isBegun = true;
    // Of one that is gone already an earlier attempt could not say that it deleted it.
    if (head !== undefined)
      await deleteTag(place, surplus, {
        others: new Map(plan.filter((one) => isSameImage(one, surplus)).map((one) => [one.tag, one])),
        beforeOther: async (other) => journal?.pruning(other),
      });
    done = { ...about, outcome: 'deleted' };
  } catch (failure) {
    const error = toImageError(failure);
    if (error === undefined) throw failure;
    done = { ...about, outcome: 'failed', error: { code: error.code, policyId, cause: error.message } };
  }
  if (isBegun) await journal?.pruned(surplus, done);
  context.metrics?.pruned(done);
  return done;
}

/** Whether an image that a tag of referrers belongs to could not be deleted. */
async function isNeeded({ registry, repository }: Place, { images = [] }: SurplusTag): Promise<boolean> {
  for (const { tag, digest } of images)
    if ((await registry.headManifest(repository, tag))?.digest === digest) return true;
  return false;
}

/** Whether another tag is to be deleted that named the same image when the plan was made. */
function isSameImage(one: SurplusTag, { registry, repository, tag, digest }: SurplusTag): boolean {
  return (
    one.isDeleted &&
    one.registry === registry &&
    one.repository === repository &&
    one.digest === digest &&
    one.tag !== tag
  );
}

interface OtherTags {
  /** surplus tags that named the same image when the plan was made */
  others: ReadonlyMap<string, SurplusTag>;
  /** called for each that names it still, before it goes with the image */
  beforeOther(other: SurplusTag): Promise<void>;
}

async function deleteTag(place: Place, surplus: SurplusTag, { others, beforeOther }: OtherTags): Promise<void> {
  const { registry, repository } = place;
  const { tag, digest } = surplus;
  try {
    await registry.deleteManifest(repository, tag);
  } catch (error) {
    // Docker's registry 2 answers 400 for a tag, and 405 where it deletes nothing at all.
    if (!(error instanceof RegistryError) || error.failure !== 'refused') throw error;
    const users = await usersOf(place, surplus);
    const stays = users.find(({ tag: user }) => user === undefined || !others.has(user));
    if (stays !== undefined) {
      const message = `${registry.name} deletes no tags alone (${error.message}), and ${repository}@${digest} must stay: ${stays.why}`;
      throw new RegistryError('refused', message, { cause: error });
    }
    for (const { tag: user } of users) await beforeOther(others.get(user!)!);
    await registry.deleteManifest(repository, digest);
  }
  const after = await registry.headManifest(repository, tag);
  if (after?.digest !== digest) return;
  throw new RegistryError('invalid', `${registry.name} accepted to delete ${repository}:${tag}, but still has it`);
}

/** What needs an image beside one of its tags; `tag` of another tag that names the image itself. Manifests are read only here. */
async function usersOf(place: Place, surplus: SurplusTag): Promise<{ tag?: string; why: string }[]> {
  const { registry, repository } = place;
  const { digest } = surplus;
  // What belongs to an image that is deleted goes with it.
  const own = surplus.images !== undefined ? undefined : await registry.getManifest(repository, digest);
  if (own !== undefined && readManifest(own).subject !== undefined) return [{ why: 'it belongs to another image' }];
  const users: { tag?: string; why: string }[] = [];
  for await (const page of registry.listTags(repository))
    for (const tag of page) {
      if (tag === surplus.tag) continue;
      const head = await registry.headManifest(repository, tag);
      if (head?.digest === digest) users.push({ tag, why: `${tag} names it too` });
      else if (head !== undefined && (await holds(place, head.digest, digest, 0)))
        return [...users, { why: `${tag} holds it` }];
    }
  return users;
}

const MOST_LEVELS = 4;

async function holds(place: Place, reference: string, digest: string, level: number): Promise<boolean> {
  const { registry, repository } = place;
  const head = await registry.headManifest(repository, reference);
  if (head === undefined || !isIndex(head.mediaType)) return false;
  const stored = await registry.getManifest(repository, reference);
  if (stored === undefined) return false;
  const children = readManifest(stored).children.map((child) => child.digest);
  if (children.includes(digest)) return true;
  if (level === MOST_LEVELS)
    throw new RegistryError('refused', `${repository}@${reference}: an index in too many others`);
  for (const child of children) if (await holds(place, child, digest, level + 1)) return true;
  return false;
}
