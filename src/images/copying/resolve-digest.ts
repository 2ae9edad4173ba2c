import { ImageError, ImageErrorCode } from '../image-error';
import type { Place } from '../registries/registry';

/**
 * The digest that a tag names, by one HEAD.
 *
 * @throws ImageError IMAGE_NOT_FOUND, RegistryError
 */
export async function resolveDigest({ registry, repository }: Place, tag: string): Promise<string> {
  const head = await registry.headManifest(repository, tag);
  if (head !== undefined) return head.digest;
  throw new ImageError(ImageErrorCode.IMAGE_NOT_FOUND, `${registry.name}/${repository}:${tag} does not exist`);
}
