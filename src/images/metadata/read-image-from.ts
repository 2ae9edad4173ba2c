import { BoundedMap } from '../../kernel/bounded-map';
import type { ImageMetadata } from '../image-metadata';
import type { ImagePolicy } from '../policies/image-policy';
import type { ImageReference } from '../image-reference';
import { openRegistries, type OpenRegistriesOptions } from '../registries/open-registries';
import { readSignatures } from './read-signatures';
import { readMetadata, type MetadataCache } from './read-metadata';

/**
 * One image's metadata from its registry, with the credentials of `docker login`. Without tag and digest it is `latest`.
 *
 * @param policies whose signatures are checked
 * @throws ImageError
 */
export async function readImageFrom(
  { registry, repository, tag, digest }: ImageReference,
  options: OpenRegistriesOptions,
  policies: readonly ImagePolicy[] = [],
): Promise<ImageMetadata> {
  const registries = openRegistries(options);
  try {
    const cache: MetadataCache = new BoundedMap(1);
    const place = { registry: registries.open(registry), repository };
    const read = await readMetadata(place, digest ?? tag ?? 'latest', cache);
    const signatures = await readSignatures(place, read.digest!, policies);
    return { ...read, ...(digest !== undefined && tag !== undefined ? { tag } : {}), signatures };
  } finally {
    await registries.close();
  }
}
