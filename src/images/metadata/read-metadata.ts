import { Type, type Static } from '../../platform/documents/typebox';
import type { BoundedMap } from '../../kernel/bounded-map';
import { parseTime } from '../../kernel/time';
import { parseJsonText } from '../../platform/documents/json-text';
import { validate } from '../../platform/documents/validate';
import { readImageTree, type ImageTree } from './image-tree';
import { ImageError, ImageErrorCode } from '../image-error';
import type { ImageMetadata, Values } from '../image-metadata';
import type { Descriptor } from '../registries/descriptor';
import type { Place } from '../registries/registry';
import { RegistryError } from '../registries/registry-error';
import { hasSignature } from './has-signature';

/** What follows from an image's digest, and so never changes. */
export type DigestMetadata = Omit<ImageMetadata, 'registry' | 'repository' | 'tag' | 'digest' | 'hasSignature'>;

/** By digest; the least recently used goes first. Only what was read whole is kept. */
export type MetadataCache = BoundedMap<string, DigestMetadata>;

/** What is used of an image's config (OCI image specification 1.1); other artifacts have none of it. */
const Config = Type.Object({
  created: Type.Optional(Type.String()),
  architecture: Type.Optional(Type.String()),
  os: Type.Optional(Type.String()),
  config: Type.Optional(
    Type.Union([
      Type.Object({ Labels: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])) }),
      Type.Null(),
    ]),
  ),
});
type Config = Static<typeof Config>;

const CONFIGS = ['application/vnd.oci.image.config.v1+json', 'application/vnd.docker.container.image.v1+json'];
const MOST_CONFIG_BYTES = 4 * 1024 * 1024;

/**
 * What a registry says of an image, for conditions. A field that could not be read is left out. Whether a signature exists is asked
 * each time: one may be added to an image later.
 *
 * @param reference a tag or a digest
 * @param cache what is known of digests
 * @throws ImageError IMAGE_NOT_FOUND, and REGISTRY_UNAVAILABLE when not even the manifest could be asked for
 */
export async function readMetadata(place: Place, reference: string, cache: MetadataCache): Promise<ImageMetadata> {
  const { registry, repository } = place;
  const name = `${registry.name}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
  const head = await orUnavailable(() => registry.headManifest(repository, reference), name);
  if (head === undefined) throw new ImageError(ImageErrorCode.IMAGE_NOT_FOUND, `${name} does not exist`);
  return readMetadataOf(place, reference === head.digest ? null : reference, head.digest, cache);
}

/**
 * As `readMetadata`, of an image whose digest is known. A field that could not be read is left out.
 *
 * @param signature whether it matters if a signature exists; if not, the registry is not asked @default true
 */
export async function readMetadataOf(
  place: Place,
  tag: string | null,
  digest: string,
  cache: MetadataCache,
  signature = true,
): Promise<ImageMetadata> {
  const [known, signed] = await Promise.all([
    ofDigest(place, digest, cache),
    signature ? unlessUnread(hasSignature(place, digest)) : undefined,
  ]);
  return {
    registry: place.registry.name,
    repository: place.repository,
    tag,
    digest,
    ...known,
    ...(signed === undefined ? {} : { hasSignature: signed }),
  };
}

async function ofDigest(place: Place, digest: string, cache: MetadataCache): Promise<DigestMetadata> {
  const kept = cache.get(digest);
  if (kept !== undefined) return kept;
  const tree = await unlessUnread(readImageTree(place, digest));
  if (tree === undefined) return {};
  const read = await fromTree(place, tree);
  if (read.isWhole) cache.set(digest, read.metadata);
  return read.metadata;
}

async function fromTree(place: Place, tree: ImageTree): Promise<{ metadata: DigestMetadata; isWhole: boolean }> {
  const attestations = attestationsOf(tree);
  const images = tree.manifests.filter(
    ({ read, stored }) => read.children.length === 0 && !attestations.has(stored.digest),
  );
  const configs: Config[] = [];
  let isWhole = tree.absent.length === 0;
  for (const { read } of images) {
    const config = read.config;
    if (config === undefined || !CONFIGS.includes(config.mediaType)) continue;
    const found = await unlessUnread(readConfig(place, config));
    if (found === undefined) isWhole = false;
    else configs.push(found);
  }
  const annotations = merged(tree.manifests.map(({ read }) => read.annotations));
  const sized = new Map(images.flatMap(({ read }) => read.blobs).map((blob) => [blob.digest, blob.size]));
  if (!isWhole) return { metadata: tree.absent.length === 0 ? { annotations, size: total(sized) } : {}, isWhole };
  const times = configs.map(({ created }) => parseTime(created)).filter((time) => time !== undefined);
  const architectures = texts(configs.map(({ architecture }) => architecture));
  return {
    isWhole,
    metadata: {
      labels: merged(configs.map(({ config }) => config?.Labels ?? {})),
      annotations,
      size: total(sized),
      // The age is unknown without a time: reproducible builds leave it out.
      ...(times.length === 0 ? {} : { createdAtMs: Math.max(...times) }),
      architectures,
      os: texts(configs.map(({ os }) => os)),
    },
  };
}

/** What a builder attests of an image is in its index beside it, under a platform that does not exist. */
function attestationsOf({ manifests }: ImageTree): ReadonlySet<string> {
  const children = manifests.flatMap(({ read }) => read.children);
  return new Set(children.filter(({ platform }) => platform?.architecture === 'unknown').map(({ digest }) => digest));
}

async function readConfig({ registry, repository }: Place, config: Descriptor): Promise<Config> {
  if (config.size > MOST_CONFIG_BYTES) throw new RegistryError('invalid', `${config.digest} is too large for a config`);
  const parts: Uint8Array[] = [];
  for await (const part of registry.readBlob(repository, config)) parts.push(part);
  try {
    return validate(Config, parseJsonText(Buffer.concat(parts).toString()), { file: config.digest });
  } catch (error) {
    throw new RegistryError('invalid', `${config.digest} is no config`, { cause: error });
  }
}

/** Undefined for what the registry could not give: it is unknown. */
async function unlessUnread<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

async function orUnavailable<T>(ask: () => Promise<T>, name: string): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const message = `${name} could not be asked for: ${error.message}`;
    throw new ImageError(ImageErrorCode.REGISTRY_UNAVAILABLE, message, { cause: error });
  }
}

/** All values of each key, over all platforms. */
function merged(all: readonly Readonly<Record<string, string>>[]): Values {
  const values = new Map<string, Set<string>>();
  for (const one of all)
    for (const [key, value] of Object.entries(one)) values.set(key, (values.get(key) ?? new Set()).add(value));
  return Object.fromEntries([...values].map(([key, found]) => [key, [...found]]));
}

function texts(found: readonly (string | undefined)[]): string[] {
  return [...new Set(found.filter((text) => text !== undefined && text !== ''))] as string[];
}

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
