import { RegistryError } from '../registries/registry-error';
import type { Place } from '../registries/registry';

/** Does something that writes to a repository. */
export type WriteTo = <T>(write: () => Promise<T>) => Promise<T>;

/**
 * Writes to a repository. If the registry lacks it and its settings ask for that, it is created, and the same is written again; that
 * happens once, however many writes there are.
 *
 * @param beforeCreate called before it is created
 */
export function createRepositoryWriter(
  { registry, repository }: Place,
  beforeCreate: () => Promise<void> = () => Promise.resolve(),
): WriteTo {
  let created: Promise<void> | undefined;
  return async (write) => {
    try {
      return await write();
    } catch (error) {
      const { createRepository } = registry;
      if (!(error instanceof RegistryError) || !error.lacksRepository || createRepository === undefined) throw error;
      created ??= beforeCreate().then(() => createRepository(repository));
      await created;
      return write();
    }
  };
}
