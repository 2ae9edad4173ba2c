import type { Descriptor, ManifestBytes, ManifestHead } from '../registries/descriptor';
import { RegistryError } from '../registries/registry-error';
import type { Place } from '../registries/registry';
import { readImageTree, type ImageTree } from '../metadata/image-tree';
import { copyBlobs, NO_BLOBS, type BlobCounts } from './copy-blobs';
import type { CopyOptions, CopyOutcome } from '../copy-options';
import { createRepositoryWriter, type WriteTo } from './repository-writer';
import { selectPlatforms } from './select-platforms';

export interface CopyImageRequest extends CopyOptions {
  source: Place;
  /** the caller resolves a tag, so that the whole copy is of one moment */
  digest: string;
  target: Place;
  /** the tag at the target; without it the image is stored under its digest only */
  tag?: string;
  /** blobs at once @default 6 */
  concurrency?: number;
  onBytes?(bytes: number): void;
  /** ends the transfers under way */
  signal?: AbortSignal;
  /** called before anything is sent to the target, and not at all if nothing is to be sent */
  beforeCopy?(): Promise<void>;
  /** called before the target's repository is created, where it is missing and the registry's settings ask for that */
  beforeCreate?(): Promise<void>;
  /**
   * called once the target has the whole image, with the digests of its manifests; unless it gives true, the tag is not moved
   */
  beforeTag?(manifests: readonly string[]): Promise<boolean>;
}

export interface CopyImageResult extends BlobCounts {
  outcome: CopyOutcome;
  /** of the image at the target: the source's, unless platforms were left out */
  digest: string;
  /** digests of the image and of all that it names, what is named first */
  manifests: readonly string[];
  /** layers that no registry needs to hold, by digest */
  foreign: readonly string[];
  /** digests that the source lacks; empty unless `incomplete` is `copy` */
  absent: readonly string[];
  /** what the tag named before, if it named another image */
  replaced?: string;
  /** the tag under which that image was kept */
  backup?: string;
}

/**
 * Copies an image with all that it names, byte for byte, so that its digest stays. The tag is moved last, once the target is
 * seen to hold the whole image: a reader never gets half of one. A copy that was interrupted resumes, as content that the target
 * has is not sent again. If the tag names the image already, that costs one HEAD.
 *
 * @throws RegistryError `invalid` if the target has another digest after the copy; `refused` for an incomplete image, and for
 * platforms that it does not have
 */
export async function copyImage(request: CopyImageRequest): Promise<CopyImageResult> {
  const { source, target, tag, noOverwrite = false, concurrency = 6, onBytes, signal, beforeTag } = request;
  const writeTo = createRepositoryWriter(target, request.beforeCreate?.bind(request));
  const root = await rootOf(request);
  const digest = root?.digest ?? request.digest;
  const before = await target.registry.headManifest(target.repository, tag ?? digest);
  if (before?.digest === digest) return { ...NOTHING, outcome: 'unchanged', digest };
  if (before !== undefined && noOverwrite) return { ...NOTHING, outcome: 'kept', digest };
  await request.beforeCopy?.();
  const tree = await readImageTree(source, digest, root);
  refuseAbsent(request, tree.absent);
  const { counts, absent } = await copyBlobs(source, target, tree.blobs, { concurrency, onBytes, signal, writeTo });
  refuseAbsent(request, absent);
  const isNew = tree.manifests.length === 1 && counts.blobsSent + counts.blobsMounted > 0;
  await putManifests(target, tree, isNew, writeTo);
  await verify(target, digest, digest);
  const result = {
    ...counts,
    digest,
    manifests: tree.manifests.map(({ stored }) => stored.digest),
    foreign: tree.foreign.map((one) => one.digest),
    absent: [...tree.absent, ...absent].map((one) => one.digest),
  };
  if (beforeTag !== undefined && !(await beforeTag(result.manifests))) return { ...result, outcome: 'withheld' };
  if (tag === undefined) return { ...result, outcome: 'copied' };
  return { ...result, ...(await moveTag(request, tree.manifests.at(-1)!.stored, tag, before)) };
}

const NOTHING = { ...NO_BLOBS, manifests: [], foreign: [], absent: [] };

/** The manifest to copy if it is another one than the source's; undefined without platforms, as it need not be read yet. */
async function rootOf({ source, digest, platforms }: CopyImageRequest): Promise<ManifestBytes | undefined> {
  if (platforms === undefined) return undefined;
  const { registry, repository } = source;
  const stored = await registry.getManifest(repository, digest);
  if (stored === undefined) throw new RegistryError('missing', `${registry.name} has no ${repository}@${digest}`);
  return selectPlatforms(stored, platforms);
}

function refuseAbsent(
  { source, digest, incomplete = 'refuse' }: CopyImageRequest,
  absent: readonly Descriptor[],
): void {
  if (absent.length === 0 || incomplete === 'copy') return;
  const named = absent.map((one) => one.digest).join(', ');
  const message = `${source.registry.name}/${source.repository}@${digest} is incomplete: its registry lacks ${named}`;
  throw new RegistryError('refused', message);
}

/**
 * What is named before what names it, as registries want it.
 *
 * @param isNew the target lacked a part of it, so it need not be asked for its manifest
 */
async function putManifests(
  { registry, repository }: Place,
  { manifests }: ImageTree,
  isNew: boolean,
  writeTo: WriteTo,
): Promise<void> {
  for (const { stored } of manifests) {
    const held = isNew ? undefined : await registry.headManifest(repository, stored.digest);
    if (held?.digest !== stored.digest) await writeTo(() => registry.putManifest(repository, stored.digest, stored));
  }
}

async function verify({ registry, repository }: Place, reference: string, digest: string): Promise<void> {
  const held = await registry.headManifest(repository, reference);
  if (held?.digest === digest) return;
  const message = `${registry.name}/${repository}: expected ${reference} to be ${digest} after the copy, found ${held?.digest ?? 'nothing'}`;
  throw new RegistryError('invalid', message);
}

/**
 * Asks again what the tag names where that makes a difference: another client may have moved it since.
 *
 * @param first what it named before the copy
 */
async function moveTag(
  { target, backupTag, noOverwrite = false }: CopyImageRequest,
  image: ManifestBytes,
  tag: string,
  first: ManifestHead | undefined,
): Promise<Pick<CopyImageResult, 'outcome' | 'replaced' | 'backup'>> {
  const { registry, repository } = target;
  const before = noOverwrite || backupTag !== undefined ? await registry.headManifest(repository, tag) : first;
  if (before?.digest === image.digest) return { outcome: 'copied' };
  if (before !== undefined && noOverwrite) return { outcome: 'kept' };
  if (before !== undefined && backupTag !== undefined) {
    const kept = await registry.getManifest(repository, before.digest);
    if (kept === undefined)
      throw new RegistryError('missing', `${registry.name} has no ${repository}@${before.digest} to keep`);
    await registry.putManifest(repository, backupTag, kept);
    await verify(target, backupTag, before.digest);
  }
  await registry.putManifest(repository, tag, image);
  await verify(target, tag, image.digest);
  if (before === undefined) return { outcome: 'copied' };
  return { outcome: 'copied', replaced: before.digest, ...(backupTag === undefined ? {} : { backup: backupTag }) };
}
