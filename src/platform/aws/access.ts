import { Type, type Static } from '../documents/typebox';

/** Credentials come from the AWS SDK's usual places, and so do region and endpoint where they are not set here. */
export const awsPlace = {
  endpoint: Type.Optional(Type.String({ minLength: 1 })),
  region: Type.Optional(Type.String({ minLength: 1 })),
};

/** How to reach S3, or a server that speaks its protocol. */
export const S3Access = Type.Object(
  {
    ...awsPlace,
    /** the bucket in the path, as most servers other than AWS want it */
    forcePathStyle: Type.Boolean({ default: false }),
  },
  { additionalProperties: false, default: {} },
);

export type S3Access = Static<typeof S3Access>;
