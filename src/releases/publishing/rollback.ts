import { FailureType, GateError } from '../../kernel/failures';
import type { Manifest } from '../manifest';
import { releasesInForce, type InForce } from './in-force';
import {
  MAX_CONFIG_BYTES,
  MAX_POLICY_BYTES,
  readNamed,
  urlOf,
  type ManifestPlace,
  type ReleaseManifest,
  type CurrentManifest,
} from './published-release';
import { publishedBy, type Act, type PlannedRelease } from './publish';
import type { ListedEntry } from './release-history';

/**
 * The earlier release to point back to: `version`, or the one that was in force before the present one. Its files are read
 * and compared with their digests, so that nothing is pointed at what is gone. After a roll back the release before the
 * present one is the one that was left, so a further one has to say where to. The manifest is a new one, of its own time.
 *
 * @param act.again a `version` that is in force shall be named by a new manifest all the same: the present one lacks a signature
 * @returns undefined when the manifest names it already
 * @throws GateError ConfigInvalid when there is none, or a second roll back names none; ManifestInvalid and
 *   PolicyUnavailable for files altered or gone
 */
export async function planRollback(
  place: ManifestPlace,
  current: CurrentManifest,
  history: readonly ListedEntry[],
  version: string | undefined,
  act: Act & { again?: boolean },
): Promise<PlannedRelease | undefined> {
  const isInForce = version === current.manifest.version;
  if (isInForce && act.again !== true) return undefined;
  const [present, ...before] = releasesInForce(current, history);
  if (version === undefined && present?.entry?.action === 'rollback')
    throw wouldRollForward(place, present.entry, before);
  const wanted = ({ manifest }: { manifest: Manifest }): boolean =>
    version === undefined ? manifest.version !== current.manifest.version : manifest.version === version;
  // What was in force before somebody took the manifest away is asked for by its name alone.
  const earlier = isInForce
    ? current
    : (before.find(wanted) ?? (version === undefined ? undefined : history.find(wanted)));
  if (!earlier) throw unknownVersion(place, [current, ...before, ...history], version);
  const { manifest } = earlier;
  const policy = await readNamed(place, manifest.policy, manifest.policySHA256, MAX_POLICY_BYTES);
  const config = await readNamed(place, manifest.config, manifest.configSHA256, MAX_CONFIG_BYTES);
  const digests = { policySHA256: policy.digest, configSHA256: config.digest };
  const target: ReleaseManifest = { ...manifest, ...digests, ...publishedBy(act) };
  // What was published and is signed now was not rolled back to: a further roll back goes to what was before it.
  const action = isInForce && present?.entry?.action !== 'rollback' ? 'publish' : 'rollback';
  return { manifest: target, files: [], action, content: { policy: policy.bytes, config: config.bytes } };
}

function wouldRollForward(
  place: ManifestPlace,
  { manifest, by, at }: ListedEntry,
  before: readonly InForce[],
): GateError {
  const left = before[0]?.manifest.version;
  const published = before.findIndex(
    (named) => named.manifest.version === manifest.version && named.entry?.action !== 'rollback',
  );
  const further =
    published < 0 ? undefined : before.slice(published).find((named) => named.manifest.version !== manifest.version);
  const ways = [
    ...(further ? [`further back with --version ${further.manifest.version}`] : []),
    ...(left === undefined ? [] : [`back to ${left} with --version ${left}`]),
  ];
  const message = `Expected the release to roll back to: ${urlOf(place)} names ${manifest.version} by the roll back of ${by} at ${at}${left === undefined ? '' : `, which left ${left}`}. Go ${ways.join(', or ')}; gate policy history shows all`;
  return new GateError(FailureType.ConfigInvalid, message);
}

function unknownVersion(
  place: ManifestPlace,
  named: readonly { manifest: Manifest }[],
  version: string | undefined,
): GateError {
  const versions = [...new Set(named.map(({ manifest }) => manifest.version))];
  const known = `it has named only ${versions.join(', ')}`;
  const message =
    version === undefined
      ? `Expected an earlier release of ${urlOf(place)} to point back to, but ${known}`
      : `Expected ${version} in the history of ${urlOf(place)}, but ${known}`;
  return new GateError(FailureType.ConfigInvalid, message);
}
