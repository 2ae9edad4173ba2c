import type { Descriptor, ManifestBytes, ManifestHead } from './descriptor';

/** What some requests to a registry are held to beside its own limits. */
export interface RequestBounds {
  /** ends them with its reason */
  signal?: AbortSignal;
  /** a request that the registry could not answer is not repeated @default false */
  once?: boolean;
}

/**
 * One registry, by the OCI distribution specification 1.1. Every method throws RegistryError; what is absent is undefined where
 * the type says so.
 */
export interface Registry {
  /** as references name it */
  readonly name: string;
  /**
   * Creates a repository that is missing; undefined where the settings do not ask for that.
   *
   * @throws RegistryError `refused` with the reason
   */
  readonly createRepository?: (repository: string) => Promise<void>;
  /** whether the repository exists, by the list of its tags */
  hasRepository(repository: string): Promise<boolean>;
  /** the same registry for requests within bounds; its limits and its circuit breaker are shared */
  within(bounds: RequestBounds): Registry;
  /** pages of names; RegistryError `refused` where the registry lists none */
  listRepositories(): AsyncIterable<readonly string[]>;
  /** pages; none for a repository that is not there */
  listTags(repository: string): AsyncIterable<readonly string[]>;
  /** by one HEAD, which counts as no pull */
  headManifest(repository: string, reference: string): Promise<ManifestHead | undefined>;
  /** the bytes are checked against the digest that was asked for, or that the registry names */
  getManifest(repository: string, reference: string): Promise<ManifestBytes | undefined>;
  /** @returns whether the registry keeps the referrers of the manifest's subject by itself */
  putManifest(repository: string, reference: string, manifest: ManifestBytes): Promise<{ tracksSubject: boolean }>;
  /** a tag or a digest; of one that is gone already nothing is said */
  deleteManifest(repository: string, reference: string): Promise<void>;
  hasBlob(repository: string, digest: string): Promise<boolean>;
  /**
   * The blob's bytes; a read that breaks off is resumed. The last part is yielded only if size and digest are right, so a reader
   * that reaches the end has the whole blob.
   */
  readBlob(repository: string, blob: Descriptor): AsyncIterable<Uint8Array>;
  /**
   * Sends a blob in one request, with its length.
   *
   * @param open its bytes, asked for only where they must be sent
   * @param from another repository of this registry that holds it
   */
  writeBlob(
    repository: string,
    blob: Descriptor,
    open: () => AsyncIterable<Uint8Array>,
    from?: string,
  ): Promise<'mounted' | 'sent'>;
  /**
   * What refers to a manifest: by the referrers API, else by its fallback tag. A repository without that API is asked for it once a
   * minute.
   *
   * @param mayHaveTag false if it is known to have no such tag @default true
   */
  listReferrers(
    repository: string,
    digest: string,
    mayHaveTag?: boolean,
  ): Promise<{ by: 'api' | 'tag'; referrers: readonly Descriptor[] }>;
}

/** A repository of a registry. */
export interface Place {
  registry: Registry;
  repository: string;
}
