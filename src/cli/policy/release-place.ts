import type { LoadedSettings } from '../../settings/load-settings';
import { FailureType, GateError } from '../../kernel/failures';
import type { ManifestPlace } from '../../releases/publishing/published-release';
import type { CliIo } from '../io';

/** as the manifest's schema has it */
const MAX_NAME = 256;

/** The place of a manifest that a command names, or that the settings do; S3 is reached as the settings say. */
export async function openManifestPlace(
  io: CliIo,
  { settings }: LoadedSettings,
  url: string | undefined,
): Promise<ManifestPlace> {
  const { openObjectStore } = await import('../../platform/objects/stores/open-object-store.js');
  const place = await openObjectStore(url ?? settings.release.manifest, settings.release.s3, io.cwd);
  if (place.key.endsWith('.json')) return place;
  const message = `Expected the name of a manifest to end in .json, got ${place.store.url}${place.key}`;
  throw new GateError(FailureType.ConfigInvalid, message);
}

/**
 * Who acts, as declared: `--by`, else the user of this machine.
 *
 * @throws GateError ConfigInvalid when that is no name, or when the user has none, as in some containers
 */
export async function actorOf(io: CliIo, by: string | undefined): Promise<string> {
  const name = by ?? (io.env.USER || (await userName()));
  // It is shown in tables and is part of a manifest, which a fleet reads.
  if (name !== undefined && name.trim() !== '' && name.length <= MAX_NAME && !/\p{Cc}/u.test(name)) return name;
  throw new GateError(
    FailureType.ConfigInvalid,
    by === undefined
      ? 'Expected --by, the name of who acts: the user of this machine has none'
      : `Expected --by to be a name of 1 to ${MAX_NAME} characters on one line`,
  );
}

async function userName(): Promise<string | undefined> {
  const { userInfo } = await import('node:os');
  try {
    return userInfo().username;
  } catch {
    // A user id that /etc/passwd does not know.
    return undefined;
  }
}
