import { Type, type Static } from '@sinclair/typebox';

/** The small JSON file that names a release. `policy` and `config` are relative to the manifest. */
export const Manifest = Type.Object(
  {
    /** bundle.tar.gz, or a folder that builds one */
    policy: Type.String({ minLength: 1 }),
    /** `.pkl`, `.json` or `.yaml` */
    config: Type.String({ minLength: 1 }),
    version: Type.String({ minLength: 1, maxLength: 128 }),
  },
  { additionalProperties: false },
);
export type Manifest = Static<typeof Manifest>;
