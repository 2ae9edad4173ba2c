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
