import { isDeepStrictEqual } from 'node:util';
import type { Manifest } from '../manifest';
import type { CurrentManifest } from './published-release';
import type { ListedEntry } from './release-history';

/** One time that a manifest named a release. */
export interface InForce {
  manifest: Manifest;
  /** absent when the manifest was written by hand */
  entry?: ListedEntry;
}

/**
 * What a manifest has named, newest first: the release in force, the one that it replaced, and so on. An entry is written
 * before its manifest, so the entry of a publisher that died in between, or lost against another, is no part of this.
 *
 * Times are not asked, because publishers' clocks differ: each entry holds the manifest that it replaced. Only what
 * somebody replaced by hand is not known; there the newest entry that is older is taken for it.
 *
 * @returns an empty list when there is no manifest
 */
export function releasesInForce(current: CurrentManifest | undefined, history: readonly ListedEntry[]): InForce[] {
  const left = [...history];
  const found: InForce[] = [];
  let manifest = current?.manifest;
  let newest: string | undefined;
  while (manifest !== undefined) {
    const entry = take(left, manifest);
    found.push({ manifest, ...(entry ? { entry } : {}) });
    if (entry) newest = entry.key;
    manifest = entry ? entry.replaces : left.find(({ key }) => newest === undefined || key < newest)?.manifest;
  }
  return found;
}

/** Whether a manifest that named `replaced` named `wanted` before it came to name what it names now. */
export function wasInForceSince(
  replaced: Manifest | undefined,
  wanted: Manifest,
  current: CurrentManifest | undefined,
  history: readonly ListedEntry[],
): boolean {
  for (const { manifest } of releasesInForce(current, history)) {
    if (isSameManifest(manifest, replaced)) return false;
    if (isSameManifest(manifest, wanted)) return true;
  }
  return false;
}

export function isSameManifest(one: Manifest | undefined, other: Manifest | undefined): boolean {
  return isDeepStrictEqual(one, other);
}

/** Roll backs of 0.1.0 wrote the very manifest that was published, so several entries may hold it: the newest that is left. */
function take(left: ListedEntry[], manifest: Manifest): ListedEntry | undefined {
  const at = left.findIndex((entry) => isSameManifest(entry.manifest, manifest));
  return at < 0 ? undefined : left.splice(at, 1)[0];
}
