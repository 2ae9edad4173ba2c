import type { Descriptor, ManifestBytes } from '../registries/descriptor';
import { readManifest, type Manifest } from '../registries/read-manifest';
import type { Place } from '../registries/registry';
import { RegistryError } from '../registries/registry-error';

export interface TreeManifest {
  stored: ManifestBytes;
  read: Manifest;
}

/** All that an image is made of, as its source has it. */
export interface ImageTree {
  /** each once, what is named before what names it: the image's own is the last */
  manifests: readonly TreeManifest[];
  /** each once, that registries hold */
  blobs: readonly Descriptor[];
  /** layers that their publisher does not let registries hold */
  foreign: readonly Descriptor[];
  /** children that the source lacks */
  absent: readonly Descriptor[];
}

const FOREIGN = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign|oci\.image\.layer\.nondistributable)\b/;
/** Deeper ones are an attack, or a mistake. */
const MOST_LEVELS = 8;
const MOST_MANIFESTS = 10_000;

/** Whether a layer is one that registries need not hold: it comes from its publisher's own address. */
function isForeign({ mediaType, urls }: Descriptor): boolean {
  return FOREIGN.test(mediaType) && urls !== undefined && urls.length > 0;
}

/**
 * Reads an image's manifest and all that it names, down to the blobs' names.
 *
 * @param root the image's manifest if it is at hand, or if the source does not have it
 * @throws RegistryError `missing` when the image itself is not there
 */
export async function readImageTree(
  { registry, repository }: Place,
  digest: string,
  root?: ManifestBytes,
): Promise<ImageTree> {
  const manifests = new Map<string, TreeManifest>();
  const [blobs, foreign, absent] = [1, 2, 3].map(() => new Map<string, Descriptor>()) as [
    Map<string, Descriptor>,
    Map<string, Descriptor>,
    Map<string, Descriptor>,
  ];

  async function visit(named: string, level: number): Promise<boolean> {
    if (manifests.has(named)) return true;
    if (level > MOST_LEVELS || manifests.size >= MOST_MANIFESTS) {
      const limit = level > MOST_LEVELS ? `${MOST_LEVELS} levels of indexes` : `${MOST_MANIFESTS} manifests`;
      throw new RegistryError('refused', `${repository}@${digest}: expected at most ${limit}, found more`);
    }
    const stored = named === root?.digest ? root : await registry.getManifest(repository, named);
    if (stored === undefined) return false;
    const read = readManifest(stored);
    for (const blob of read.blobs) (isForeign(blob) ? foreign : blobs).set(blob.digest, blob);
    for (const child of read.children) {
      if (!(await visit(child.digest, level + 1))) absent.set(child.digest, child);
    }
    manifests.set(named, { stored, read });
    return true;
  }

  if (!(await visit(digest, 0))) throw new RegistryError('missing', `${registry.name} has no ${repository}@${digest}`);
  return {
    manifests: [...manifests.values()],
    blobs: [...blobs.values()],
    foreign: [...foreign.values()],
    absent: [...absent.values()],
  };
}
