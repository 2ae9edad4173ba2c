import type { BucketSetup } from '../platform/objects/stores/create-bucket';
import { parseObjectUrl } from '../platform/objects/object-url';
import type { S3Access } from '../platform/aws/access';
import type { LoadedSettings } from '../settings/load-settings';

/**
 * Makes the buckets that the settings name: that of the manifest and that of facts too big for an item. Safe to repeat.
 *
 * @returns one entry a bucket, in this order; empty where nothing is in S3
 * @throws GateError ConfigInvalid for a manifest's URL that cannot be; ObjectStoreError as `createBucket`
 */
export async function setUpBuckets(loaded: LoadedSettings): Promise<BucketSetup[]> {
  const buckets = bucketsOf(loaded);
  if (buckets.size === 0) return [];
  const { createBucket } = await import('../platform/objects/stores/create-bucket.js');
  const done: BucketSetup[] = [];
  for (const [bucket, access] of buckets) done.push(await createBucket(bucket, access));
  return done;
}

function bucketsOf({ settings, baseDir }: LoadedSettings): Map<string, S3Access> {
  const { manifest, s3 } = settings.release;
  const { bigFacts } = settings.audit.store;
  const place = parseObjectUrl(manifest, baseDir);
  const found = new Map<string, S3Access>();
  if (place.kind === 's3') found.set(place.bucket, s3);
  if (bigFacts !== undefined && !found.has(bigFacts.bucket)) found.set(bigFacts.bucket, bigFacts.s3);
  return found;
}
