import { BoundedMap } from '../../kernel/bounded-map';
import type { ImageMetadata } from '../image-metadata';
import type { ImageReference } from '../image-reference';
import { openRegistries, type OpenRegistriesOptions } from '../registries/open-registries';
import { readMetadata, type MetadataCache } from './read-metadata';

/**
 * One image's metadata from its registry, with the credentials of `docker login`. Without tag and digest it is `latest`.
 *
 * @throws ImageError
 */
export async function readImageFrom(
  { registry, repository, tag, digest }: ImageReference,
  options: OpenRegistriesOptions,
): Promise<ImageMetadata> {
  const registries = openRegistries(options);
  try {
    const cache: MetadataCache = new BoundedMap(1);
    const place = { registry: registries.open(registry), repository };
    const read = await readMetadata(place, digest ?? tag ?? 'latest', cache);
    return digest !== undefined && tag !== undefined ? { ...read, tag } : read;
  } finally {
    await registries.close();
  }
}
