import type { ObjectReader } from '../../platform/objects/object-store';
import type { LoadedSettings } from '../../settings/load-settings';
import { openReleaseSource } from './open-release-source';
import type { ReleaseSource } from './release-source';

/** A place of objects that holds a manifest, beside or above what the manifest names. */
export interface ReleaseObjects {
  /** of the manifest, for people and for the copy on disk; what follows its last `/` is the manifest's key */
  url: string;
  /** reads objects by their keys, which are relative to the manifest */
  objects: ObjectReader;
  /** where secrets and the places of files are looked up; @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
  /** a release could not be kept on disk, which costs nothing until the objects are out of reach */
  onNotKept?(error: unknown): void;
}

/**
 * Releases of any place that holds objects, by the rules that hold for `s3://`: digests are required unless
 * `release.digests` says otherwise, `release.verificationKey` counts, and what was in force is kept on disk.
 */
export function releasesFromObjects(
  { settings, baseDir }: LoadedSettings,
  { url, objects, env = process.env, ...options }: ReleaseObjects,
): ReleaseSource {
  const named = { ...settings, release: { ...settings.release, manifest: url } };
  return openReleaseSource({ settings: named, baseDir }, { ...options, env, objects });
}
