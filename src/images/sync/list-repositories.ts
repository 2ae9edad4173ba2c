import type { Registry } from '../registries/registry';
import type { SyncSource } from './sync-sources';

/**
 * The repositories of a source, each once. Patterns need the registry's catalog.
 *
 * @throws RegistryError `refused`, which asks for exact names, if the registry lists no repositories
 */
export async function* listRepositories(source: SyncSource, registry: Registry): AsyncIterable<string> {
  yield* source.names;
  if (!source.hasPatterns) return;
  const named = new Set(source.names);
  for await (const page of registry.listRepositories())
    for (const repository of page) {
      if (named.has(repository) || !source.fits(repository)) continue;
      named.add(repository);
      yield repository;
    }
}
