import { eachOf } from '../each-of';
import type { Conflicts } from './carry-out';
import { ImageErrorCode } from '../image-error';
import { eachByRegistry } from './each-by-registry';
import {
  candidatesOf,
  errorOf,
  listRepositoryTags,
  listSourceRepositories,
  sourcesOf,
  type ListedTags,
  type SourceRepository,
} from './list-candidates';
import { namedTargets } from './named-targets';
import { planImage } from './plan-image';
import { nameOf, type SyncContext } from './sync-context';
import type { SyncError } from '../progress/sync-report';

/** What a sync is about, found out before anything is copied. */
export interface Survey {
  /** in order of registry and name */
  repositories: readonly SurveyedRepository[];
  /** tags of all of them */
  images: number;
  conflicts: Conflicts;
  /** of what could not be listed */
  errors: readonly SyncError[];
}

export interface SurveyedRepository extends SourceRepository {
  /** absent where there are too many to be kept: they are listed again */
  listed?: ListedTags;
}

/** Tags of all repositories that are kept in memory. */
const MOST_KEPT = 100_000;

/**
 * Lists all that may be replicated, registries side by side, and finds targets that more than one source would be copied to.
 * Names alone tell that for most images; the others are decided about.
 *
 * @param concurrency images that are decided about at once @default 4
 * @param onProgress called for each repository
 * @param signal ends it, with a survey that is of no use
 */
export async function survey(
  context: SyncContext,
  { concurrency = 4, onProgress, signal }: { concurrency?: number; onProgress?(): void; signal?: AbortSignal } = {},
): Promise<Survey> {
  const errors: SyncError[] = [];
  const targets = new Map<string, Set<string>>();
  const unnamed = new Set<string>();
  let images = 0;
  const surveyed = new Map<SourceRepository, SurveyedRepository>();
  const named = new Set(
    sourcesOf(context).flatMap(({ registry, names }) => names.map((repository) => `${registry}/${repository}`)),
  );
  const places = await listSourceRepositories(context, (error) => errors.push(error));
  await eachByRegistry(places, async (place) => {
    if (signal?.aborted === true) return;
    onProgress?.();
    try {
      const listed = await listRepositoryTags(context, place);
      const name = `${place.registry}/${place.repository}`;
      if (listed.tags.length === 0 && named.has(name)) errors.push(withoutTags(name));
      images += listed.tags.length;
      surveyed.set(place, { ...place, ...(images <= MOST_KEPT ? { listed } : {}) });
      for (const tag of listed.tags) {
        const source = nameOf({ ...place, tag });
        for (const target of namedTargets(context, { ...place, tag, isLatest: () => true }))
          if (target === undefined) unnamed.add(source);
          else targets.set(target, (targets.get(target) ?? new Set()).add(source));
      }
    } catch (failure) {
      errors.push(errorOf(failure, `${place.registry}/${place.repository}`));
    }
  });
  const repositories = places.flatMap((place) => surveyed.get(place) ?? []);
  errors.sort((one, other) => (one.source < other.source ? -1 : 1));
  const conflicts = await decidedConflicts(context, { repositories, targets, unnamed, concurrency, signal });
  for (const { code } of errors) context.metrics?.failed(code);
  return { repositories, images, conflicts, errors };
}

/** Without an error a wrong name would be a policy that copies nothing, for ever. */
function withoutTags(source: string): SyncError {
  const cause = `${source} does not exist, or has no tags, and a policy or the mapping names it`;
  return { source, code: ImageErrorCode.IMAGE_NOT_FOUND, cause };
}

/** What names alone tell of the images of all repositories. */
interface Named {
  repositories: readonly SurveyedRepository[];
  /** with the images that may go there */
  targets: ReadonlyMap<string, ReadonlySet<string>>;
  /** images of which the names do not tell where they go */
  unnamed: ReadonlySet<string>;
  concurrency: number;
  signal: AbortSignal | undefined;
}

/** Decides about the images whose names tell too little, and about those whose targets have several possible sources. */
async function decidedConflicts(
  context: SyncContext,
  { repositories, targets, unnamed, concurrency, signal }: Named,
): Promise<Conflicts> {
  const planned = new Map<string, readonly string[]>();
  const plan = async (wanted: ReadonlySet<string>) => {
    for (const place of repositories) {
      const prefix = `${place.registry}/${place.repository}:`;
      const tags = [...wanted]
        .filter((source) => source.startsWith(prefix))
        .map((source) => source.slice(prefix.length));
      if (tags.length === 0) continue;
      const toCandidate = await candidatesOf(
        context,
        place,
        place.listed ?? (await listRepositoryTags(context, place)),
      );
      await eachOf(tags, concurrency, async (tag) => {
        if (signal?.aborted === true) return;
        const one = await planImage(context, toCandidate(tag));
        planned.set(`${prefix}${tag}`, one.status === 'replicate' ? one.targets.map(nameOf) : []);
      });
    }
  };
  await plan(unnamed);
  const byTarget = new Map<string, Set<string>>();
  const add = (target: string, source: string) => byTarget.set(target, (byTarget.get(target) ?? new Set()).add(source));
  for (const [target, sources] of targets) for (const source of sources) add(target, source);
  for (const [source, own] of planned) for (const target of own) add(target, source);
  const suspects = [...byTarget.values()].filter(({ size }) => size > 1).flatMap((sources) => [...sources]);
  await plan(new Set(suspects.filter((source) => !planned.has(source))));
  return new Map(
    [...byTarget]
      .filter(([, { size }]) => size > 1)
      .map(([target, sources]): [string, string[]] => [
        target,
        [...sources].filter((source) => planned.get(source)?.includes(target) === true).sort(),
      ])
      .filter(([, sources]) => sources.length > 1),
  );
}
