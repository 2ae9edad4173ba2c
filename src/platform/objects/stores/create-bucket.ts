import type { S3Access } from '../../aws/access';
import { ObjectStoreError } from '../object-store';

/** A bucket, and whether it was made now. */
export interface BucketSetup {
  bucket: string;
  created: boolean;
}

/** The region whose buckets are made without naming it: S3 refuses its name. */
const UNNAMED_REGION = 'us-east-1';

/**
 * Makes the bucket unless it is there; safe to repeat, and to do twice at once.
 *
 * @throws ObjectStoreError when it belongs to another account, or may not be looked at or made
 */
export async function createBucket(bucket: string, access: S3Access): Promise<BucketSetup> {
  const [{ CreateBucketCommand, HeadBucketCommand, S3Client }, { s3ClientConfig }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../../aws/clients.js'),
  ]);
  const client = new S3Client(s3ClientConfig(access));
  try {
    if (await succeeds(client.send(new HeadBucketCommand({ Bucket: bucket })), 404)) return { bucket, created: false };
    const region = await client.config.region();
    const place =
      region === UNNAMED_REGION ? {} : { CreateBucketConfiguration: { LocationConstraint: region as 'EU' } };
    await client.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
    return { bucket, created: true };
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    if (name === 'BucketAlreadyOwnedByYou') return { bucket, created: false };
    const status = $metadata?.httpStatusCode;
    const why = [name, message].filter((text, at) => at === 0 || (text !== '' && text !== name)).join(': ');
    throw new ObjectStoreError(`Cannot make bucket ${bucket}: ${why} (HTTP ${status ?? 'none'})`, status, {
      cause: error,
    });
  } finally {
    client.destroy();
  }
}

/** False where it fails with this status; whatever else fails is thrown. */
async function succeeds(request: Promise<unknown>, absent: number): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === absent) return false;
    throw error;
  }
}
