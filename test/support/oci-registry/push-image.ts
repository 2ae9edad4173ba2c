import type { OciRegistry } from './oci-registry';
import type { SampleImage } from './sample-image';

/** Puts an image into a registry, as a push would; without a tag it is known by its digest. */
export function pushImage(
  { content }: Pick<OciRegistry, 'content'>,
  repository: string,
  { config, layers, manifest }: SampleImage,
  tag?: string,
): void {
  const held = content.open(repository);
  for (const blob of [config, ...layers]) held.blobs.set(blob.digest, blob.bytes);
  held.manifests.set(manifest.digest, manifest);
  if (tag !== undefined) held.tags.set(tag, manifest.digest);
}
