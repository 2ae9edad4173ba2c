import type { LoadedSettings } from '../config/loaders/settings';
import { FailureType, GateError } from '../failures';
import type { ManifestPlace } from '../policy/publishing/published-release';
import type { CliIo } from './io';

/** The place of a manifest that a command names, or that the settings do; S3 is reached as the settings say. */
export async function openManifestPlace(
  io: CliIo,
  { settings }: LoadedSettings,
  url: string | undefined,
): Promise<ManifestPlace> {
  const { openObjectStore } = await import('../open-object-store.js');
  const place = await openObjectStore(url ?? settings.release.manifest, settings.release.s3, io.cwd);
  if (place.key.endsWith('.json')) return place;
  const message = `Expected the name of a manifest to end in .json, got ${place.store.url}${place.key}`;
  throw new GateError(FailureType.ConfigInvalid, message);
}

/** Who acts, as declared: `--by`, else the user of this machine. */
export async function actorOf(io: CliIo, by: string | undefined): Promise<string> {
  if (by !== undefined) {
    if (by.trim() !== '' && by.length <= 256) return by;
    throw new GateError(FailureType.ConfigInvalid, 'Expected --by to be a name of 1 to 256 characters');
  }
  const { userInfo } = await import('node:os');
  return io.env.USER ?? userInfo().username;
}
