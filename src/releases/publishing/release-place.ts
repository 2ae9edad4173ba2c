import { FailureType, GateError } from '../../kernel/failures';
import { userName } from '../../platform/files/user-name';
import { openObjectStore } from '../../platform/objects/stores/open-object-store';
import type { LoadedSettings } from '../../settings/load-settings';
import type { ManifestPlace } from './published-release';

/** as the manifest's schema has it */
const MAX_NAME = 256;

/**
 * The place of the manifest that `url` names, or without it that of the settings; S3 is reached as the settings say.
 *
 * @param cwd what a path is relative to
 * @throws GateError ConfigInvalid
 */
export async function openManifestPlace(
  { settings }: LoadedSettings,
  url: string | undefined,
  cwd: string,
): Promise<ManifestPlace> {
  const place = await openObjectStore(url ?? settings.release.manifest, settings.release.s3, cwd);
  if (place.key.endsWith('.json')) return place;
  const message = `Expected the name of a manifest to end in .json, got ${place.store.url}${place.key}`;
  throw new GateError(FailureType.ConfigInvalid, message);
}

/**
 * Who acts, as declared: `--by`, else the user of this machine.
 *
 * @throws GateError ConfigInvalid when that is no name, or when the user has none, as in some containers
 */
export function actorOf(by: string | undefined, env: Readonly<Record<string, string | undefined>>): string {
  const name = by ?? (env.USER || userName());
  // It is shown in tables and is part of a manifest, which a fleet reads.
  if (name !== undefined && name.trim() !== '' && name.length <= MAX_NAME && !/\p{Cc}/u.test(name)) return name;
  throw new GateError(
    FailureType.ConfigInvalid,
    by === undefined
      ? 'Expected --by, the name of who acts: the user of this machine has none'
      : `Expected --by to be a name of 1 to ${MAX_NAME} characters on one line`,
  );
}
