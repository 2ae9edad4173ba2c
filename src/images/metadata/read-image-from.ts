import { BoundedMap } from '../../kernel/bounded-map';
import { createProxyDispatcher } from '../../platform/http/http-client';
import type { ImageMetadata } from '../image-metadata';
import type { ImageReference } from '../image-reference';
import { createDockerCredentials } from '../registries/docker-credentials';
import { HttpRegistry } from '../registries/http-registry';
import { readMetadata, type MetadataCache } from './read-metadata';

/**
 * One image's metadata from its registry, with the credentials of `docker login`. Without tag and digest it is `latest`.
 *
 * @throws ImageError
 */
export async function readImageFrom(
  { registry, repository, tag, digest }: ImageReference,
  { plainHttp, env }: { plainHttp: boolean; env: Readonly<Record<string, string | undefined>> },
): Promise<ImageMetadata> {
  const dispatcher = createProxyDispatcher(env);
  try {
    const findCredentials = createDockerCredentials({ env });
    const client = new HttpRegistry({ registry, plainHttp, dispatcher, findCredentials });
    const cache: MetadataCache = new BoundedMap(1);
    const read = await readMetadata({ registry: client, repository }, digest ?? tag ?? 'latest', cache);
    return digest !== undefined && tag !== undefined ? { ...read, tag } : read;
  } finally {
    await dispatcher.close();
  }
}
