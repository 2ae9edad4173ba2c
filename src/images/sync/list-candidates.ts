import { readMetadataOf } from '../metadata/read-metadata';
import { isReferrersTag, referrersTag } from '../registries/referrers-tag';
import { toImageError } from '../registries/to-image-error';
import { chooseLatest } from './choose-latest';
import { listRepositories } from './list-repositories';
import type { SyncError } from './sync-report';
import { hostOf, type Candidate, type SyncContext } from './sync-context';
import { syncSources, type SyncSource } from './sync-sources';

/**
 * Every tag of every repository that policies replicate from or that the mapping covers. A registry or repository that cannot be
 * listed is reported, and the others are listed still.
 */
export async function* listCandidates(
  context: SyncContext,
  onError: (error: SyncError) => void,
): AsyncIterable<Candidate> {
  const { open } = context;
  for (const source of sourcesOf(context)) {
    const registry = open(source.registry);
    try {
      for await (const repository of listRepositories(source, registry)) {
        try {
          yield* candidatesOf(context, source.registry, repository);
        } catch (failure) {
          onError(errorOf(failure, `${source.registry}/${repository}`));
        }
      }
    } catch (failure) {
      onError(errorOf(failure, source.registry));
    }
  }
}

/** Where candidates come from; empty if no policy that replicates has a source, and nothing is mapped. */
export function sourcesOf(context: Pick<SyncContext, 'set' | 'decide'>): SyncSource[] {
  const { set, decide } = context;
  return syncSources(set, decide.mapping ?? [], (name) => hostOf(context, name));
}

async function* candidatesOf(context: SyncContext, host: string, repository: string): AsyncIterable<Candidate> {
  const { set, open, cache, nowMs } = context;
  const registry = open(host);
  const tags: string[] = [];
  const referrers = new Set<string>();
  for await (const page of registry.listTags(repository))
    for (const tag of page)
      if (isReferrersTag(tag)) referrers.add(tag.split('.')[0]!);
      else tags.push(tag);
  const sets = set.policies.flatMap(({ enabled, source }) =>
    enabled && source !== undefined && hostOf(context, source.registry) === host && source.fitsRepository(repository)
      ? source.tags
      : [],
  );
  const createdAtOf = async (tag: string): Promise<number | undefined> => {
    const head = await registry.headManifest(repository, tag);
    if (head === undefined) return undefined;
    return (await readMetadataOf({ registry, repository }, tag, head.digest, cache, false)).createdAtMs;
  };
  const isLatest = await chooseLatest(sets, tags, createdAtOf, nowMs());
  const hasReferrersTag = (digest: string) =>
    referrers.has(digest.replace(':', '-')) || referrers.has(referrersTag(digest));
  for (const tag of tags) yield { registry: host, repository, tag, isLatest, hasReferrersTag };
}

/** @throws what is no failure of a registry */
function errorOf(failure: unknown, source: string): SyncError {
  const error = toImageError(failure);
  if (error === undefined) throw failure;
  return { source, code: error.code, cause: error.message };
}
