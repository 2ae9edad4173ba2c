import { Type, type Static } from '../../platform/documents/typebox';
import type { JsonValue } from '../../kernel/json';
import { parseJsonText } from '../../platform/documents/json-text';
import { validate } from '../../platform/documents/validate';
import { isDigest } from '../image-reference';
import type { Descriptor, ManifestBytes } from './descriptor';
import { RegistryError } from './registry-error';

const DescriptorShape = Type.Object({
  mediaType: Type.String(),
  digest: Type.String(),
  size: Type.Integer({ minimum: 0 }),
  platform: Type.Optional(
    Type.Object({ architecture: Type.String(), os: Type.String(), variant: Type.Optional(Type.String()) }),
  ),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
  artifactType: Type.Optional(Type.String()),
  urls: Type.Optional(Type.Array(Type.String())),
});

/** Once: a check is compiled for each schema. */
const DescriptorsShape = Type.Array(DescriptorShape);

const ManifestShape = Type.Object({
  mediaType: Type.Optional(Type.String()),
  artifactType: Type.Optional(Type.String()),
  config: Type.Optional(DescriptorShape),
  layers: Type.Optional(DescriptorsShape),
  manifests: Type.Optional(DescriptorsShape),
  subject: Type.Optional(DescriptorShape),
  annotations: Type.Optional(Type.Record(Type.String(), Type.String())),
});

const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;

/** Whether a manifest of this type names others. */
export function isIndex(mediaType: string): boolean {
  return /index|manifest\.list/.test(mediaType);
}

/** What a manifest names. One with `children` is an index. */
export interface Manifest {
  mediaType: string;
  artifactType?: string;
  /** config and layers */
  blobs: readonly Descriptor[];
  children: readonly Descriptor[];
  config?: Descriptor;
  subject?: Descriptor;
  annotations: Readonly<Record<string, string>>;
}

/**
 * Reads a manifest or an index of OCI's or Docker's schema 2.
 *
 * @throws RegistryError `refused` for schema 1, which names no config; `invalid` for anything that is not a manifest
 */
export function readManifest({ bytes, mediaType, digest }: ManifestBytes): Manifest {
  if (SCHEMA_1.test(mediaType)) {
    throw new RegistryError(
      'refused',
      `${digest} is a manifest of Docker's schema 1, which is not supported: build the image again`,
    );
  }
  let fields: Static<typeof ManifestShape>;
  try {
    fields = validate(ManifestShape, parseJsonText(Buffer.from(bytes).toString()), { file: digest });
  } catch (error) {
    throw new RegistryError('invalid', `expected a manifest: ${(error as Error).message}`);
  }
  const { config, layers = [], manifests = [], subject, artifactType, annotations = {} } = fields;
  const named = [
    ...(config === undefined ? [] : [config]),
    ...layers,
    ...manifests,
    ...(subject === undefined ? [] : [subject]),
  ];
  checkDigests(named, digest);
  return {
    mediaType,
    artifactType,
    blobs: [...(config === undefined ? [] : [config]), ...layers],
    children: manifests,
    config,
    subject,
    annotations,
  };
}

/** @throws RegistryError `invalid` */
export function readDescriptors(value: JsonValue | undefined, what: string): Descriptor[] {
  try {
    const found = validate(DescriptorsShape, value ?? [], { file: what });
    checkDigests(found, what);
    return found;
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw new RegistryError('invalid', (error as Error).message);
  }
}

function checkDigests(descriptors: readonly Descriptor[], what: string): void {
  const wrong = descriptors.find(({ digest }) => !isDigest(digest));
  if (wrong !== undefined)
    throw new RegistryError('invalid', `${what}: expected digests such as sha256:…, got "${wrong.digest}"`);
}
