import { FailureType, GateError } from '../../failures';
import {
  MAX_CONFIG_BYTES,
  MAX_POLICY_BYTES,
  readNamed,
  urlOf,
  type ManifestPlace,
  type ReleaseManifest,
  type StandingManifest,
} from './published-release';
import type { PlannedRelease } from './publish';
import type { ListedEntry } from './release-history';

/**
 * The earlier release to point back to: `version`, or the one that was in force before the present one. Its files are read
 * and compared with their digests, so that nothing is pointed at what is gone.
 *
 * @returns undefined when the manifest names it already
 * @throws GateError ConfigInvalid when there is none; ManifestInvalid and PolicyUnavailable for files altered or gone
 */
export async function planRollback(
  place: ManifestPlace,
  standing: StandingManifest,
  history: readonly ListedEntry[],
  version: string | undefined,
): Promise<PlannedRelease | undefined> {
  if (version === standing.manifest.version) return undefined;
  const earlier =
    version === undefined
      ? history
          .slice(placeOf(standing, history) + 1)
          .find(({ manifest }) => manifest.version !== standing.manifest.version)
      : history.find(({ manifest }) => manifest.version === version);
  if (!earlier) throw unknownVersion(place, history, version);
  const { manifest } = earlier;
  const policy = await readNamed(place, manifest.policy, manifest.policySHA256, MAX_POLICY_BYTES);
  const config = await readNamed(place, manifest.config, manifest.configSHA256, MAX_CONFIG_BYTES);
  const target: ReleaseManifest = { ...manifest, policySHA256: policy.digest, configSHA256: config.digest };
  return { manifest: target, files: [], action: 'rollback', content: { policy: policy.bytes, config: config.bytes } };
}

/** Where the release in force stands in the history; -1 when it was put there by other means. */
export function placeOf(standing: StandingManifest, history: readonly ListedEntry[]): number {
  const present = JSON.stringify(standing.manifest);
  return history.findIndex(({ manifest }) => JSON.stringify(manifest) === present);
}

function unknownVersion(place: ManifestPlace, history: readonly ListedEntry[], version: string | undefined): GateError {
  const versions = [...new Set(history.map(({ manifest }) => manifest.version))];
  const known = versions.length > 0 ? `it has named ${versions.join(', ')}` : 'its history holds nothing';
  const message =
    version === undefined
      ? `Expected an earlier release of ${urlOf(place)} to point back to, but ${known}`
      : `Expected ${version} in the history of ${urlOf(place)}, but ${known}`;
  return new GateError(FailureType.ConfigInvalid, message);
}
