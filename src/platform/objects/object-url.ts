import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { FailureType, GateError } from '../../kernel/failures';

/** One object's place: its store, and its key there. */
export type ObjectPlace =
  { kind: 's3'; bucket: string; prefix: string; key: string } | { kind: 'file'; folder: string; key: string };

/** As AWS names buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * The place that `s3://bucket/prefix/name`, a `file:` URL or a path names; the store is the name's folder.
 *
 * @param cwd what a relative path is relative to
 * @throws GateError ConfigInvalid for another scheme, a bucket that cannot be, or no name at the end
 */
export function parseObjectUrl(url: string, cwd: string): ObjectPlace {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 's3') return parseS3(url);
  if (scheme !== undefined && scheme !== 'file') {
    throw invalid(`Expected s3://bucket/…/name, a file:// URL or a path, got ${JSON.stringify(url)}`);
  }
  const path = scheme === 'file' ? filePath(url) : isAbsolute(url) ? url : resolve(cwd, url);
  const cut = path.lastIndexOf('/');
  const key = path.slice(cut + 1);
  if (url === '' || url.endsWith('/') || key === '')
    throw invalid(`Expected the name of a file at the end, got ${JSON.stringify(url)}`);
  return { kind: 'file', folder: path.slice(0, cut) || '/', key };
}

/** The URL of a store's place, with a `/` at its end. */
export function placeUrl(place: ObjectPlace): string {
  return place.kind === 's3'
    ? `s3://${place.bucket}/${place.prefix}`
    : `${pathToFileURL(place.folder).href.replace(/\/$/, '')}/`;
}

/** @throws TypeError for a key that is empty, leaves its place, or is not in its plain form */
export function checkKey(key: string): void {
  const parts = key.split('/');
  if (/[\\\0]/.test(key) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new TypeError(`Expected a key below its place, got ${JSON.stringify(key)}`);
  }
}

function parseS3(url: string): ObjectPlace {
  const [bucket = '', ...parts] = url.slice('s3://'.length).split('/');
  const key = parts.pop() ?? '';
  if (!url.toLowerCase().startsWith('s3://') || !BUCKET.test(bucket)) {
    throw invalid(`Expected s3://bucket/…/name with the name of a bucket, got ${JSON.stringify(url)}`);
  }
  if (key === '') throw invalid(`Expected the name of an object at the end, got ${JSON.stringify(url)}`);
  if ([...parts, key].some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part))) {
    throw invalid(`Expected a plain key in ${JSON.stringify(url)}: no empty parts, no . and no ..`);
  }
  return { kind: 's3', bucket, prefix: parts.map((part) => `${part}/`).join(''), key };
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid(`Expected a file:// URL of this machine, got ${JSON.stringify(url)}`);
  }
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
