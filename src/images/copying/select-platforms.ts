import type { JsonObject } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { digestLike } from '../registries/content-check';
import type { Descriptor, ManifestBytes } from '../registries/descriptor';
import { readManifest } from '../registries/read-manifest';
import { RegistryError } from '../registries/registry-error';
import { isOfPlatform } from '../platform';

/** Under which a builder's attestation names the image beside it that it is about. */
const ATTESTED = 'vnd.docker.reference.digest';

/**
 * An index with the images of some platforms only, and the attestations of those. It has a digest of its own, which is the same
 * each time. An image that is not an index, and an index whose images are all of these platforms, stay as they are.
 *
 * @throws RegistryError `refused` if the index has no image of these platforms
 */
export function selectPlatforms(stored: ManifestBytes, platforms: readonly string[]): ManifestBytes {
  const { children } = readManifest(stored);
  if (children.length === 0) return stored;
  const isChosen = (child: Descriptor) => platforms.some((named) => isOfPlatform(child, named));
  const chosen = new Set(children.filter(isChosen).map(({ digest }) => digest));
  if (chosen.size === 0) {
    const message = `${stored.digest} has no image of ${platforms.join(', ')}`;
    throw new RegistryError('refused', message);
  }
  for (const { digest, annotations } of children) if (chosen.has(annotations?.[ATTESTED] ?? '')) chosen.add(digest);
  if (children.every(({ digest }) => chosen.has(digest))) return stored;
  // readManifest has checked the shape; fields that it does not know stay as they are.
  const { manifests, ...rest } = parseJsonText(Buffer.from(stored.bytes).toString()) as JsonObject;
  const kept = (manifests as JsonObject[]).filter(({ digest }) => chosen.has(String(digest)));
  const subset = { ...rest, manifests: kept };
  const bytes = Buffer.from(JSON.stringify(subset));
  return { bytes, mediaType: stored.mediaType, digest: digestLike(stored.digest, bytes) };
}
