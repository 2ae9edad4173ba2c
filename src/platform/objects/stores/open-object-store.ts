import type { S3Access } from '../../aws/access';
import type { ObjectStore } from '../object-store';
import { parseObjectUrl } from '../object-url';

/**
 * The store of the object that `url` names, and its key there. Opening does no I/O.
 *
 * @param url `s3://bucket/prefix/name`, a `file:` URL, or a path relative to `cwd`
 * @throws GateError ConfigInvalid for any other URL
 */
export async function openObjectStore(
  url: string,
  access: S3Access,
  cwd: string = process.cwd(),
): Promise<{ store: ObjectStore; key: string }> {
  const place = parseObjectUrl(url, cwd);
  if (place.kind === 'file') {
    const { createFileObjects } = await import('./file-objects.js');
    return { store: createFileObjects(place.folder), key: place.key };
  }
  // The SDK takes a tenth of a second to load: only who reads from S3 waits for it.
  const [{ S3Client }, { s3ClientConfig }, { createS3Objects }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../../aws/clients.js'),
    import('./s3-objects.js'),
  ]);
  return { store: createS3Objects(new S3Client(s3ClientConfig(access)), place), key: place.key };
}
