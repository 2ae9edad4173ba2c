import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import type { S3Access } from './config/settings';
import { FailureType, GateError } from './failures';
import { ObjectStoreError, PreconditionFailedError, type ObjectStore, type StoredObject } from './objects/object-store';

/** A body that stops coming is given up, as the client gives up a request that is not answered. */
const BODY_TIMEOUT_MS = 10_000;

/**
 * The store at the place of a URL's last `/`, and the key after it.
 *
 * @throws GateError ConfigInvalid for another URL than `s3://bucket/key`
 */
export async function openObjectStore(url: string, access: S3Access): Promise<{ store: ObjectStore; key: string }> {
  const [, bucket, prefix, key] = /^s3:\/\/([^/]+)\/((?:[^/]+\/)*)([^/]+)$/.exec(url) ?? [];
  if (bucket === undefined || prefix === undefined || key === undefined) {
    const message = `release.manifest: expected s3://bucket/key, got ${JSON.stringify(url)}`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }
  const [{ S3Client: Client }, { s3ClientConfig }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('./aws/clients.js'),
  ]);
  return { store: createS3Objects(new Client(s3ClientConfig(access)), bucket, prefix), key };
}

function createS3Objects(client: S3Client, bucket: string, prefix: string): ObjectStore {
  const at = (key: string) => {
    const isWithin = key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    if (!isWithin) throw new TypeError(`Expected a key within the store, got ${JSON.stringify(key)}`);
    return { Bucket: bucket, Key: prefix + key };
  };
  const get = async (
    key: string,
    maxBytes = Infinity,
    etag?: string,
  ): Promise<StoredObject | 'unchanged' | undefined> => {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      return await readObject(await client.send(new GetObjectCommand({ ...at(key), IfNoneMatch: etag })), maxBytes);
    } catch (error) {
      const status = statusOf(error);
      if (status === 304) return 'unchanged';
      if (status === 404 && (error as Error).name === 'NoSuchKey') return undefined;
      throw toStoreError(error);
    }
  };
  return {
    url: `s3://${bucket}/${prefix}`,
    get: async (key, options) => (await get(key, options?.maxBytes)) as StoredObject | undefined,
    getUnlessSame: (key, etag, options) => get(key, options?.maxBytes, etag),
    put: async (key, bytes, condition) => {
      const { PutObjectCommand } = await import('@aws-sdk/client-s3');
      const conditions =
        condition === undefined ? {} : 'ifAbsent' in condition ? { IfNoneMatch: '*' } : { IfMatch: condition.ifMatch };
      try {
        const { ETag } = await client.send(new PutObjectCommand({ ...at(key), Body: bytes, ...conditions }));
        return { etag: ETag ?? '' };
      } catch (error) {
        if (statusOf(error) === 412) throw new PreconditionFailedError(key);
        throw toStoreError(error);
      }
    },
    delete: async (key) => {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await client.send(new DeleteObjectCommand(at(key))).catch((error: unknown) => {
        throw toStoreError(error);
      });
    },
    list: async (start) => {
      const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
      const keys: string[] = [];
      try {
        for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix + start })) {
          keys.push(...(page.Contents ?? []).map(({ Key }) => (Key ?? '').slice(prefix.length)));
        }
      } catch (error) {
        throw toStoreError(error);
      }
      return keys.sort();
    },
  };
}

async function readObject(
  { Body, ContentLength, ETag }: GetObjectCommandOutput,
  maxBytes: number,
): Promise<StoredObject> {
  const body = Body as Readable;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const late = (): void => void body.destroy(new Error(`the body stopped coming after ${length} bytes`));
  let timer = setTimeout(late, BODY_TIMEOUT_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Uint8Array);
      length += (chunk as Uint8Array).length;
      if (length > maxBytes) throw new ObjectStoreError(`expected at most ${maxBytes} bytes`);
      clearTimeout(timer);
      timer = setTimeout(late, BODY_TIMEOUT_MS);
    }
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
  if (ContentLength !== undefined && length !== ContentLength) {
    throw new ObjectStoreError(`expected ${ContentLength} bytes, got ${length}`);
  }
  return { bytes: new Uint8Array(Buffer.concat(chunks)), etag: ETag ?? '' };
}

const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;

function toStoreError(error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const { name, message } = error as Error;
  return new ObjectStoreError(`${name}: ${message || 'no answer'}`, statusOf(error), { cause: error });
}
