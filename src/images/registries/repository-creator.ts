/** Creates the repositories of a registry that creates none with the first upload. */
export interface RepositoryCreator {
  /**
   * Resolves once the repository exists; may be called several times, also at once.
   *
   * @throws RegistryError `refused` with the reason of the service, `unavailable` where it could not be asked
   */
  create(repository: string): Promise<void>;
  /** whether it was created just now: the registry may not know it yet */
  isNew(repository: string): Promise<boolean>;
}

/** In audit records of a repository that is about to be created. */
export const WHY_CREATED = 'the repository is missing, and the setting createRepositories asks for it: it is created';
