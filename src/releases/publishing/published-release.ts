import { FailureType, GateError } from '../../kernel/failures';
import { NAME_PATTERN } from '../../kernel/names';
import { ObjectStoreError, type ObjectStore, type StoredObject } from '../../platform/objects/object-store';
import { DEFAULT_ARCHIVE_LIMITS } from '../../rego/bundle/archive/read-archive';
import type { Manifest } from '../manifest';
import { sha256 } from '../../kernel/digest';
import { readManifest } from '../sources/read-manifest';
import { parseJsonBytes } from '../../platform/documents/loaders/document';

/** Most bytes of what a release is made of; a bundle's limit is the archive's. */
export const MAX_MANIFEST_BYTES = 64 * 1024;
export const MAX_CONFIG_BYTES = 4 * 2 ** 20;
export const MAX_POLICY_BYTES = DEFAULT_ARCHIVE_LIMITS.maxArchiveBytes;

/** Where a manifest is. */
export interface ManifestPlace {
  store: ObjectStore;
  key: string;
}

/** A manifest as it was when it was read. */
export interface CurrentManifest {
  manifest: Manifest;
  etag: string;
  /** as it was written: what a signature covers */
  bytes: Uint8Array;
}

/** A manifest with the digests of what it names: that alone is a release that can be published. */
export type ReleaseManifest = Manifest & { policySHA256: string; configSHA256: string };

/** The URL of a manifest, for people. */
export const urlOf = ({ store, key }: ManifestPlace): string => `${store.url}${key}`;

/**
 * The manifest at `place`; undefined when it does not exist.
 *
 * @throws GateError ManifestInvalid; ObjectStoreError
 */
export async function readCurrent(place: ManifestPlace): Promise<CurrentManifest | undefined> {
  const found = await place.store.get(place.key, { maxBytes: MAX_MANIFEST_BYTES });
  if (!found) return undefined;
  return { manifest: await parseManifest(urlOf(place), found.bytes), etag: found.etag, bytes: found.bytes };
}

/** @throws GateError ConfigInvalid when `place` has no manifest */
export function requireCurrent(place: ManifestPlace, current: CurrentManifest | undefined): CurrentManifest {
  if (current) return current;
  throw new GateError(FailureType.ConfigInvalid, `Expected a manifest at ${urlOf(place)}, found none`);
}

/** @throws GateError ManifestInvalid with every fault */
export function parseManifest(where: string, bytes: Uint8Array): Promise<Manifest> {
  return readManifest(where, async () => ({ document: await parseJsonBytes(where, bytes) }));
}

export function manifestBytes(manifest: Manifest): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * A file that a manifest names, as it was published.
 *
 * @throws GateError PolicyUnavailable when it is gone, ManifestInvalid when it is another one or not below the manifest
 */
export async function readNamed(
  { store }: ManifestPlace,
  name: string,
  digest: string | undefined,
  maxBytes: number,
): Promise<{ bytes: Uint8Array; digest: string }> {
  let found: StoredObject | undefined;
  try {
    found = await store.get(name, { maxBytes });
  } catch (error) {
    if (error instanceof ObjectStoreError) throw error;
    const message = `Expected the manifest to name a file below ${store.url}, got ${JSON.stringify(name)}; only such a release can be published`;
    throw new GateError(FailureType.ManifestInvalid, message, undefined, { cause: error });
  }
  if (!found) throw new GateError(FailureType.PolicyUnavailable, `Expected ${store.url}${name}, which is not there`);
  const actual = sha256(found.bytes);
  if (digest !== undefined && digest !== actual) {
    const message = `${store.url}${name}: expected SHA-256 ${digest} as the manifest says, found ${actual}`;
    throw new GateError(FailureType.ManifestInvalid, message);
  }
  return { bytes: found.bytes, digest: actual };
}

/** Versions are parts of file names. @throws GateError ConfigInvalid */
export function checkVersion(version: string): void {
  if (new RegExp(NAME_PATTERN).test(version)) return;
  throw new GateError(
    FailureType.ConfigInvalid,
    `Expected the version to match ${NAME_PATTERN}, got ${JSON.stringify(version)}`,
  );
}
