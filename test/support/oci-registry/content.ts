import { createHash } from 'node:crypto';

export interface StoredManifest {
  digest: string;
  mediaType: string;
  bytes: Buffer;
}

export interface Upload {
  id: string;
  chunks: Buffer[];
  size: number;
}

/** What one repository holds. */
export class RepositoryContent {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, StoredManifest>();
  readonly tags = new Map<string, string>();
  readonly uploads = new Map<string, Upload>();
}

/** What a registry holds, in memory, by repository. */
export class RegistryContent {
  readonly repositories = new Map<string, RepositoryContent>();

  /** The repository, made if there is none: a push makes it. */
  open(name: string): RepositoryContent {
    const found = this.repositories.get(name) ?? new RepositoryContent();
    this.repositories.set(name, found);
    return found;
  }
}

const DIGEST = /^(sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

export const isDigest = (text: string): boolean => DIGEST.test(text);

/** @param like a digest whose algorithm is used @default sha256 */
export function digestOf(bytes: Uint8Array, like = 'sha256:'): string {
  const algorithm = like.slice(0, like.indexOf(':'));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

interface ManifestFields {
  mediaType?: string;
  artifactType?: string;
  subject?: { digest: string };
  config?: { mediaType: string };
  annotations?: Record<string, string>;
}

/** Descriptors of the manifests whose subject is `digest`, as the referrers list has them. */
export function referrersOf(content: RepositoryContent, digest: string): object[] {
  return [...content.manifests.values()].flatMap(({ digest: own, mediaType, bytes }) => {
    const fields = fieldsOf(bytes);
    if (fields?.subject?.digest !== digest) return [];
    const { annotations } = fields;
    const artifactType = fields.artifactType ?? fields.config?.mediaType;
    return [{ mediaType, digest: own, size: bytes.length, artifactType, annotations }];
  });
}

export function fieldsOf(bytes: Buffer): ManifestFields | undefined {
  try {
    return JSON.parse(bytes.toString()) as ManifestFields;
  } catch {
    return undefined;
  }
}
