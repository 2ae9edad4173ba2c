import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type GetObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Readable } from 'node:stream';
import { ObjectStoreError, PreconditionFailedError, type ObjectStore, type StoredObject } from '../object-store';
import { checkKey } from '../object-url';

export interface S3Place {
  bucket: string;
  /** empty, or with a `/` at its end */
  prefix: string;
}

const DEFAULT_MAX_BYTES = 256 * 2 ** 20;
/** of a whole body, in which each piece may come in time and the last one never */
const BODY_TIMEOUT_MS = 30_000;

/**
 * Objects below a prefix of a bucket. Retries and time-outs of a request are the client's; a body that ends early, stalls
 * or passes `maxBytes` is an error and never a shorter object.
 */
export function createS3Objects(
  client: S3Client,
  { bucket, prefix }: S3Place,
  { bodyTimeoutMs = BODY_TIMEOUT_MS }: { bodyTimeoutMs?: number } = {},
): ObjectStore {
  const url = `s3://${bucket}/${prefix}`;
  const fullKey = (key: string): string => {
    checkKey(key);
    return `${prefix}${key}`;
  };

  async function fetch(key: string, etag: string | undefined, maxBytes = DEFAULT_MAX_BYTES) {
    const name = fullKey(key);
    let answer: GetObjectCommandOutput;
    try {
      answer = await client.send(
        new GetObjectCommand({
          Bucket: bucket,
          Key: name,
          ...(etag === undefined ? {} : { IfNoneMatch: etag }),
        }),
      );
    } catch (error) {
      const status = statusOf(error);
      // The SDK takes "not modified" for an error without a name.
      if (status === 304) return 'unchanged' as const;
      if (isAbsence(error)) return undefined;
      throw toStoreError(`read ${url}${key}`, error);
    }
    return toStored(`${url}${key}`, answer, maxBytes, bodyTimeoutMs);
  }

  return {
    url,
    get: async (key, options) => {
      const found = await fetch(key, undefined, options?.maxBytes);
      if (found === 'unchanged') throw new ObjectStoreError(`${url}${key} answered 304 to a plain question`, 304);
      return found;
    },
    getUnlessSame: (key, etag, options) => fetch(key, etag, options?.maxBytes),
    put: async (key, bytes, condition) => {
      const name = fullKey(key);
      try {
        const { ETag } = await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: name,
            Body: bytes,
            ...(condition === undefined
              ? {}
              : 'ifAbsent' in condition
                ? { IfNoneMatch: '*' }
                : { IfMatch: condition.ifMatch }),
          }),
        );
        if (ETag === undefined) throw new ObjectStoreError(`${url}${key} was written, but the server gave it no tag`);
        return { etag: ETag };
      } catch (error) {
        const status = statusOf(error);
        // 409: another conditional write was under way (S3's ConditionalRequestConflict). 404: what If-Match wanted is gone.
        const lost = status === 412 || status === 409 || isAbsence(error);
        if (condition !== undefined && lost) throw new PreconditionFailedError(key);
        throw error instanceof ObjectStoreError ? error : toStoreError(`write ${url}${key}`, error);
      }
    },
    delete: async (key) => {
      const name = fullKey(key);
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }));
      } catch (error) {
        if (isAbsence(error)) return;
        throw toStoreError(`delete ${url}${key}`, error);
      }
    },
    has: async (key) => {
      const name = fullKey(key);
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }));
        return true;
      } catch (error) {
        if (isAbsence(error)) return false;
        throw toStoreError(`look for ${url}${key}`, error);
      }
    },
    list: async (wanted) => {
      const keys: string[] = [];
      try {
        let token: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}${wanted}`, ContinuationToken: token }),
          );
          keys.push(
            ...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key.slice(prefix.length)])),
          );
          token = page.IsTruncated ? page.NextContinuationToken : undefined;
        } while (token !== undefined);
      } catch (error) {
        throw toStoreError(`list ${url}${wanted}`, error);
      }
      return keys.sort();
    },
  };
}

async function toStored(
  where: string,
  { Body, ETag, ContentLength }: GetObjectCommandOutput,
  maxBytes: number,
  timeoutMs: number,
): Promise<StoredObject> {
  const body = Body as (Readable & AsyncIterable<Uint8Array>) | undefined;
  if (body === undefined || ETag === undefined)
    throw new ObjectStoreError(`Cannot read ${where}: the answer has no body or no tag`);
  const tooLarge = (): ObjectStoreError =>
    new ObjectStoreError(`Cannot read ${where}: expected at most ${maxBytes} bytes, found more`, undefined, {
      isTooLarge: true,
    });
  const timer = setTimeout(() => body.destroy(new Error(`its body did not end within ${timeoutMs} ms`)), timeoutMs);
  try {
    if (ContentLength !== undefined && ContentLength > maxBytes) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    if (ContentLength !== undefined && length !== ContentLength) {
      throw new ObjectStoreError(`Cannot read ${where}: expected ${ContentLength} bytes, found ${length}`);
    }
    return { bytes: new Uint8Array(Buffer.concat(chunks)), etag: ETag };
  } catch (error) {
    throw error instanceof ObjectStoreError ? error : toStoreError(`read ${where}`, error);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

function toStoreError(doing: string, error: unknown): ObjectStoreError {
  const status = statusOf(error);
  const said = error as { name?: string; message?: string; code?: string };
  const words = [said.name === 'Error' ? undefined : said.name, said.code, said.message].filter(
    (word) => word !== undefined && word !== '',
  );
  const what = [...new Set(words)].join(': ') || 'it gave no reason';
  return new ObjectStoreError(`Cannot ${doing}: ${what}${status === undefined ? '' : ` (HTTP ${status})`}`, status, {
    cause: error,
  });
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

/** By its name, not its status: servers answer 404 for buckets and users that they do not know, too. */
function isAbsence(error: unknown): boolean {
  const { name } = (error ?? {}) as { name?: string };
  return name === 'NoSuchKey' || name === 'NotFound';
}
