import type { ImagePolicySet } from '../policies/image-policy';
import type { MappingEntry } from '../policies/mapping';
import { isRepositoryName } from '../image-reference';

/** The repositories of one registry that policies replicate from. */
export interface SyncSource {
  /** a host */
  registry: string;
  /** without wildcards */
  names: readonly string[];
  /** whether there are patterns too, for which the registry must list its repositories */
  hasPatterns: boolean;
  /** whether a repository is one of them */
  fits(repository: string): boolean;
}

/**
 * Where the images come from that policies replicate and that the mapping covers, in order of the hosts. A policy without a
 * `source` applies to the images that others bring.
 */
export function syncSources(
  { policies }: ImagePolicySet,
  mapping: readonly MappingEntry[],
  hostOf: (name: string) => string,
): SyncSource[] {
  const replicating = policies.filter(
    ({ enabled, actions }) => enabled && actions.some(({ document }) => document.type === 'replicate'),
  );
  const parts = [
    ...replicating.flatMap(({ source }) => source ?? []),
    ...mapping.map((entry) => ({ ...entry, repositories: [entry.repositories] })),
  ].map(({ registry, repositories, fitsRepository }) => ({ registry: hostOf(registry), repositories, fitsRepository }));
  const hosts = [...new Set(parts.map(({ registry }) => registry))].sort();
  return hosts.map((registry) => {
    const own = parts.filter((part) => part.registry === registry);
    const written = [...new Set(own.flatMap(({ repositories }) => repositories))].sort();
    const names = written.filter(isRepositoryName);
    return {
      registry,
      names,
      hasPatterns: names.length < written.length,
      fits: (repository) => own.some(({ fitsRepository }) => fitsRepository(repository)),
    };
  });
}
