import { Type, type Static } from '../platform/documents/typebox';

const Digest = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'a SHA-256 in hex, lower case' });

/**
 * The small JSON file that names a release. `policy` and `config` are relative to the manifest. Without digests whatever
 * the files hold is the release; with them it is exactly what was published.
 */
export const Manifest = Type.Object(
  {
    /** bundle.tar.gz, or a folder that builds one */
    policy: Type.String({ minLength: 1 }),
    /** `.pkl`, `.json` or `.yaml` */
    config: Type.String({ minLength: 1 }),
    version: Type.String({ minLength: 1, maxLength: 128 }),
    policySHA256: Type.Optional(Digest),
    configSHA256: Type.Optional(Digest),
    /** as declared by who published it */
    publishedBy: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    /** RFC 3339 */
    publishedAt: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;
