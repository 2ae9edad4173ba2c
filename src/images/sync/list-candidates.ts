import { readMetadataOf } from '../metadata/read-metadata';
import type { ImagePolicySet } from '../policies/image-policy';
import type { MappingEntry } from '../policies/mapping';
import { isReferrersTag, referrersTag } from '../registries/referrers-tag';
import { RegistryError } from '../registries/registry-error';
import { toImageError } from '../registries/to-image-error';
import { chooseLatest } from './choose-latest';
import { eachByRegistry } from './each-by-registry';
import { listRepositories } from './list-repositories';
import type { SyncError } from '../progress/sync-report';
import { hostOf, type Candidate, type SyncContext } from './sync-context';
import { syncSources, type SyncSource } from './sync-sources';

/** A repository that images come from. */
export interface SourceRepository {
  /** a host */
  registry: string;
  repository: string;
}

/** The tags of a repository. */
export interface ListedTags {
  /** in order, without those of referrers */
  tags: readonly string[];
  /** digests of images, in the form of tags, that have a tag for referrers */
  referrers: ReadonlySet<string>;
  /** when they were listed, epoch milliseconds */
  listedAtMs: number;
}

/** A signature may be pushed at any time: after this a list says no more that there is none. */
const FRESH_MS = 60_000;

/**
 * Every repository that policies replicate from or that the mapping covers, in order of registry and name. A registry that cannot
 * be listed is reported, and the others are listed still.
 */
export async function listSourceRepositories(
  context: SyncContext,
  onError: (error: SyncError) => void,
): Promise<SourceRepository[]> {
  const sources = sourcesOf(context);
  const found = new Map<string, string[]>();
  await eachByRegistry(sources, async (source) => {
    const names: string[] = [];
    found.set(source.registry, names);
    try {
      for await (const repository of listRepositories(source, context.open(source.registry))) names.push(repository);
    } catch (failure) {
      onError(errorOf(failure, source.registry));
    }
  });
  return sources.flatMap(({ registry }) =>
    (found.get(registry) ?? []).sort().map((repository) => ({ registry, repository })),
  );
}

/** Where images come from; empty if no policy that replicates has a source, and nothing is mapped. */
export function sourcesOf(context: {
  set: ImagePolicySet;
  decide: { mapping?: readonly MappingEntry[]; registries?: ReadonlyMap<string, string> };
}): SyncSource[] {
  const { set, decide } = context;
  return syncSources(set, decide.mapping ?? [], (name) => hostOf(context, name));
}

/** @throws RegistryError */
export async function listRepositoryTags(
  { open, nowMs }: Pick<SyncContext, 'open' | 'nowMs'>,
  { registry, repository }: SourceRepository,
): Promise<ListedTags> {
  const listedAtMs = nowMs();
  const tags: string[] = [];
  const referrers = new Set<string>();
  for await (const page of open(registry).listTags(repository))
    for (const tag of page)
      if (isReferrersTag(tag)) referrers.add(tag.split('.')[0]!);
      else tags.push(tag);
  return { tags: [...new Set(tags)].sort(), referrers, listedAtMs };
}

/**
 * The tags of a repository as images that may be replicated.
 *
 * @param needsAges an age that cannot be read is an error, where `latest` goes by it @default such an image is not chosen
 * @throws RegistryError
 */
export async function candidatesOf(
  context: SyncContext,
  { registry: host, repository }: SourceRepository,
  { tags, referrers, listedAtMs }: ListedTags,
  needsAges = false,
): Promise<(tag: string) => Candidate> {
  const { set, open, cache, nowMs } = context;
  const registry = open(host);
  const sets = set.policies.flatMap(({ enabled, source }) =>
    enabled && source !== undefined && hostOf(context, source.registry) === host && source.fitsRepository(repository)
      ? source.tags
      : [],
  );
  const createdAtOf = async (tag: string): Promise<number | undefined> => {
    const head = await registry.headManifest(repository, tag);
    const read = head && (await readMetadataOf({ registry, repository }, tag, head.digest, cache, false));
    if (needsAges && read?.createdAtMs === undefined)
      throw new RegistryError('refused', `${host}/${repository}:${tag}: its age could not be read`);
    return read?.createdAtMs;
  };
  const isLatest = await chooseLatest(sets, tags, createdAtOf, nowMs());
  const hasReferrersTag = (digest: string) =>
    referrers.has(digest.replace(':', '-')) || referrers.has(referrersTag(digest));
  const mayHaveReferrersTag = (digest: string) => hasReferrersTag(digest) || Math.abs(nowMs() - listedAtMs) > FRESH_MS;
  return (tag) => ({ registry: host, repository, tag, isLatest, hasReferrersTag, mayHaveReferrersTag });
}

/** @throws what is no failure of a registry */
export function errorOf(failure: unknown, source: string): SyncError {
  const error = toImageError(failure);
  if (error === undefined) throw failure;
  return { source, code: error.code, cause: error.message };
}
