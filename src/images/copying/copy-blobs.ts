import type { Descriptor } from '../registries/descriptor';
import { RegistryError } from '../registries/registry-error';
import type { Place, Registry } from '../registries/registry';
import type { WriteTo } from './repository-writer';

export interface BlobCounts {
  /** sent from the source to the target */
  blobsSent: number;
  bytesSent: number;
  /** the target had them */
  blobsSkipped: number;
  bytesSkipped: number;
  /** taken over from another repository of the same registry */
  blobsMounted: number;
}

export const NO_BLOBS: BlobCounts = { blobsSent: 0, bytesSent: 0, blobsSkipped: 0, bytesSkipped: 0, blobsMounted: 0 };

export interface CopyBlobsOptions {
  /** at once */
  concurrency: number;
  /** called for each part that arrived */
  onBytes?(bytes: number): void;
  /** ends the transfers under way */
  signal?: AbortSignal;
  /** does each write @default as it is */
  writeTo?: WriteTo;
}

/** What images that are copied to one repository at the same time share. */
interface Shared {
  /** copies under way */
  images: number;
  /** by digest */
  flights: Map<string, Promise<void>>;
  /** digests of blobs that the repository was seen to have since the first of these copies began */
  seen: Set<string>;
}

const sharedByRegistry = new WeakMap<Registry, Map<string, Shared>>();

/** Nothing is remembered beyond copies that overlap: a registry may delete a blob later. */
async function sharing<T>({ registry, repository }: Place, use: (shared: Shared) => Promise<T>): Promise<T> {
  const known = sharedByRegistry.get(registry) ?? new Map<string, Shared>();
  sharedByRegistry.set(registry, known);
  const shared = known.get(repository) ?? { images: 0, flights: new Map(), seen: new Set() };
  known.set(repository, shared);
  shared.images += 1;
  try {
    return await use(shared);
  } finally {
    shared.images -= 1;
    if (shared.images === 0) known.delete(repository);
  }
}

/**
 * Copies the blobs that the target lacks. A blob that the target has is never sent again; one of the same registry is mounted. Each
 * blob is seen to be at the target afterwards.
 *
 * @returns what was done, and the blobs that the source lacks
 * @throws RegistryError the first failure, once the transfers under way have ended
 */
export async function copyBlobs(
  source: Place,
  target: Place,
  blobs: readonly Descriptor[],
  options: CopyBlobsOptions,
): Promise<{ counts: BlobCounts; absent: Descriptor[] }> {
  return sharing(target, (shared) => copyInto(source, target, blobs, options, shared));
}

async function copyInto(
  source: Place,
  target: Place,
  blobs: readonly Descriptor[],
  { concurrency, onBytes, signal, writeTo = (write) => write() }: CopyBlobsOptions,
  { flights, seen }: Shared,
): Promise<{ counts: BlobCounts; absent: Descriptor[] }> {
  const counts = { ...NO_BLOBS };
  const absent: Descriptor[] = [];
  const from = source.registry === target.registry ? source.repository : undefined;

  async function* open(blob: Descriptor): AsyncIterable<Uint8Array> {
    for await (const part of source.registry.readBlob(source.repository, blob)) {
      // An error of a registry, so that no one tries it again.
      if (signal?.aborted === true) throw new RegistryError('refused', 'the copy was stopped');
      onBytes?.(part.length);
      yield part;
    }
  }

  /** Images that are copied at once share layers: each is sent once. */
  async function copy(blob: Descriptor): Promise<void> {
    const { digest } = blob;
    for (let other = flights.get(digest); other !== undefined; other = flights.get(digest))
      await other.catch(() => undefined);
    const flight = copyAlone(blob);
    flights.set(digest, flight);
    try {
      await flight;
    } finally {
      flights.delete(digest);
    }
  }

  async function copyAlone(blob: Descriptor): Promise<void> {
    if (seen.has(blob.digest) || (await target.registry.hasBlob(target.repository, blob.digest))) {
      seen.add(blob.digest);
      counts.blobsSkipped += 1;
      counts.bytesSkipped += blob.size;
      return;
    }
    try {
      const done = await writeTo(() => target.registry.writeBlob(target.repository, blob, () => open(blob), from));
      if (!(await target.registry.hasBlob(target.repository, blob.digest))) {
        const message = `${target.registry.name} accepted the blob ${blob.digest} of ${target.repository}, but does not have it`;
        throw new RegistryError('invalid', message);
      }
      seen.add(blob.digest);
      if (done === 'mounted') counts.blobsMounted += 1;
      else {
        counts.blobsSent += 1;
        counts.bytesSent += blob.size;
      }
    } catch (error) {
      // Asked of the source itself: the target may answer 404 for reasons of its own.
      const isMissing = error instanceof RegistryError && error.failure === 'missing';
      if (!isMissing || (await source.registry.hasBlob(source.repository, blob.digest))) throw error;
      absent.push(blob);
    }
  }

  // The largest first: the last ones to end are then small.
  const waiting = [...blobs].sort((one, other) => other.size - one.size);
  const failures: unknown[] = [];
  const worker = async () => {
    for (let blob = waiting.shift(); blob !== undefined && failures.length === 0; blob = waiting.shift()) {
      if (signal?.aborted === true) failures.push(new RegistryError('refused', 'the copy was stopped'));
      else await copy(blob).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, blobs.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return { counts, absent };
}
