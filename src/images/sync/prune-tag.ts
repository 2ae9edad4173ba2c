import { isIndex, readManifest } from '../registries/read-manifest';
import { RegistryError } from '../registries/registry-error';
import type { Place } from '../registries/registry';
import { toImageError } from '../registries/to-image-error';
import type { PrunedTag, SurplusTag } from '../progress/prune-report';
import { nameOf, type SyncContext } from './sync-context';
import type { PruneJournal } from './sync-journal';

/**
 * Deletes a surplus tag, once that is recorded. A tag that moved since the plan stays. Where a registry deletes no tags alone the
 * image is deleted by its digest, unless anything that stays in the repository needs it.
 *
 * @throws what the journal throws: nothing was deleted then
 */
export async function pruneTag(context: SyncContext, surplus: SurplusTag, journal?: PruneJournal): Promise<PrunedTag> {
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
    if (head !== undefined) await deleteTag(place, tag, digest, surplus.images !== undefined);
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

/** @param belongs to an image that is deleted, too */
async function deleteTag(place: Place, tag: string, digest: string, belongs: boolean): Promise<void> {
  const { registry, repository } = place;
  try {
    await registry.deleteManifest(repository, tag);
  } catch (error) {
    // Docker's registry 2 answers 400 for a tag, and 405 where it deletes nothing at all.
    if (!(error instanceof RegistryError) || error.failure !== 'refused') throw error;
    const user = await userOf(place, tag, digest, belongs);
    if (user !== undefined) {
      const message = `${registry.name} deletes no tags alone (${error.message}), and ${repository}@${digest} must stay: ${user}`;
      throw new RegistryError('refused', message, { cause: error });
    }
    await registry.deleteManifest(repository, digest);
  }
  const after = await registry.headManifest(repository, tag);
  if (after?.digest !== digest) return;
  throw new RegistryError('invalid', `${registry.name} accepted to delete ${repository}:${tag}, but still has it`);
}

/** What needs an image beside one of its tags, in a few words; manifests are read only here. */
async function userOf(place: Place, deleted: string, digest: string, belongs: boolean): Promise<string | undefined> {
  const { registry, repository } = place;
  const own = belongs ? undefined : await registry.getManifest(repository, digest);
  if (own !== undefined && readManifest(own).subject !== undefined) return 'it belongs to another image';
  for await (const page of registry.listTags(repository))
    for (const tag of page) {
      if (tag === deleted) continue;
      const head = await registry.headManifest(repository, tag);
      if (head?.digest === digest) return `${tag} names it too`;
      if (head !== undefined && (await holds(place, head.digest, digest, 0))) return `${tag} holds it`;
    }
  return undefined;
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
