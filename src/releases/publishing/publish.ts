import { FailureType, GateError } from '../../kernel/failures';
import { sha256 } from '../../kernel/digest';
import { releasesInForce } from './in-force';
import { pointManifest, type SignManifest } from './point-manifest';
import {
  checkVersion,
  MAX_CONFIG_BYTES,
  MAX_POLICY_BYTES,
  readNamed,
  urlOf,
  type ManifestPlace,
  type ReleaseManifest,
  type CurrentManifest,
} from './published-release';
import { putOnce } from './put-once';
import type { ListedEntry, ReleaseAct } from './release-history';

/** A file of a release, checked by whoever gives it. */
export interface ReleaseFile {
  bytes: Uint8Array;
  /** `tar.gz`, `pkl`, `json`, `yaml` */
  extension: string;
}

export interface Act {
  /** who does it, as declared */
  by: string;
  /** RFC 3339 in UTC, with milliseconds */
  at: string;
}

/** What there is to do, worked out before anything is written. */
export interface PlannedRelease {
  manifest: ReleaseManifest;
  /** what is not in the store yet, in the order in which it is written */
  files: { key: string; bytes: Uint8Array }[];
  action: ReleaseAct;
  from?: string;
  /** the release whole, to be checked before it is written */
  content: { policy: Uint8Array; config: Uint8Array };
}

/**
 * The release `version` as it would be published: what is left out stays as the current manifest names it. Undefined when
 * exactly this release is in force already, unless it shall be published `again`.
 *
 * @throws GateError ConfigInvalid when something is left out and there is no manifest; RevisionConflict when the version was
 *   published before with other content; what reading the current release's files throws
 */
export async function planPublish(
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  history: readonly ListedEntry[],
  release: Act & { version: string; policy?: ReleaseFile; config?: ReleaseFile; again?: boolean },
): Promise<PlannedRelease | undefined> {
  const { version } = release;
  checkVersion(version);
  const policy = release.policy
    ? newFile('policy', version, release.policy)
    : await currentFile(place, current, 'policy', MAX_POLICY_BYTES);
  const config = release.config
    ? newFile('config', version, release.config)
    : await currentFile(place, current, 'config', MAX_CONFIG_BYTES);
  const digests = { policySHA256: policy.digest, configSHA256: config.digest };
  if (!isRelease(current, version, digests)) refuseReuse(place, current, history, version, digests);
  else if (!release.again) return undefined;
  return {
    manifest: {
      policy: policy.key,
      config: config.key,
      version,
      ...digests,
      ...publishedBy(release),
    },
    files: [policy, config].filter(({ isNew }) => isNew),
    action: 'publish',
    content: { policy: policy.bytes, config: config.bytes },
  };
}

/**
 * The release that `source` names, to be named by `place` too, in a manifest of its own time and publisher. Its files are read
 * whole and compared with their digests.
 *
 * @throws GateError ManifestInvalid, PolicyUnavailable; RevisionConflict as planPublish does
 */
export async function planPromote(
  source: ManifestPlace,
  promoted: CurrentManifest,
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  history: readonly ListedEntry[],
  act: Act & { again?: boolean },
): Promise<PlannedRelease | undefined> {
  const { manifest } = promoted;
  const { version } = manifest;
  checkVersion(version);
  const policy = await readNamed(source, manifest.policy, manifest.policySHA256, MAX_POLICY_BYTES);
  const config = await readNamed(source, manifest.config, manifest.configSHA256, MAX_CONFIG_BYTES);
  const digests = { policySHA256: policy.digest, configSHA256: config.digest };
  if (!isRelease(current, version, digests)) refuseReuse(place, current, history, version, digests);
  else if (!act.again) return undefined;
  const policyKey = `policy-${version}.tar.gz`;
  const configKey = `config-${version}.${extensionOf(manifest.config)}`;
  return {
    manifest: { ...manifest, policy: policyKey, config: configKey, ...digests, ...publishedBy(act) },
    files: [
      { key: policyKey, bytes: policy.bytes },
      { key: configKey, bytes: config.bytes },
    ],
    content: { policy: policy.bytes, config: config.bytes },
    action: 'promote',
    from: urlOf(source),
  };
}

/**
 * Writes what was planned: the files, which never change once they are there, then the manifest's signature, where there is a
 * key, and last the manifest.
 *
 * @throws as pointManifest; GateError RevisionConflict when a file's name is taken by other content; ObjectStoreError.
 *   The release in force stays then: files without a manifest that names them change nothing
 */
export async function carryOut(
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  planned: PlannedRelease,
  act: Act,
  sign?: SignManifest,
): Promise<void> {
  for (const { key, bytes } of planned.files) await putOnce(place.store, key, bytes);
  const { manifest, action, from } = planned;
  const entry = { action, by: act.by, at: act.at, manifest, ...(from === undefined ? {} : { from }) };
  await pointManifest(place, current, entry, sign);
}

/** Each act writes a manifest of its own: of two signed ones the later counts, whatever release it names. */
export function publishedBy({ by, at }: Act): Pick<ReleaseManifest, 'publishedBy' | 'publishedAt'> {
  return { publishedBy: by, publishedAt: at };
}

interface PlannedFile {
  key: string;
  digest: string;
  bytes: Uint8Array;
  /** not in the store yet */
  isNew: boolean;
}

function newFile(kind: string, version: string, { bytes, extension }: ReleaseFile): PlannedFile {
  return { key: `${kind}-${version}.${extension}`, digest: sha256(bytes), bytes, isNew: true };
}

async function currentFile(
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  kind: 'policy' | 'config',
  maxBytes: number,
): Promise<PlannedFile> {
  if (!current) {
    const message = `Expected --${kind}, because ${urlOf(place)} names none yet that could stay`;
    throw new GateError(FailureType.ConfigInvalid, message);
  }
  const { manifest } = current;
  const key = manifest[kind];
  return { key, isNew: false, ...(await readNamed(place, key, manifest[`${kind}SHA256`], maxBytes)) };
}

type Digests = Pick<ReleaseManifest, 'policySHA256' | 'configSHA256'>;

function isRelease(current: CurrentManifest | undefined, version: string, digests: Digests): boolean {
  return current !== undefined && current.manifest.version === version && hasDigests(current.manifest, digests);
}

function hasDigests(one: Partial<Digests>, { policySHA256, configSHA256 }: Digests): boolean {
  return one.policySHA256 === policySHA256 && one.configSHA256 === configSHA256;
}

/** The same content under the same version may be published again: whoever died before the manifest tries once more. */
function refuseReuse(
  place: ManifestPlace,
  current: CurrentManifest | undefined,
  history: readonly ListedEntry[],
  version: string,
  digests: Digests,
): void {
  const earlier = releasesInForce(current, history).filter(({ manifest }) => manifest.version === version);
  const [latest] = earlier;
  if (!latest) return;
  const advice = earlier.some(({ manifest }) => hasDigests(manifest, digests))
    ? `gate policy rollback --version ${version} points back to it`
    : 'what it held is something else, or not known; a version names one release for ever: publish under another one';
  const { entry } = latest;
  const how = entry ? `${entry.action} by ${entry.by} at ${entry.at}` : 'written by hand';
  const message = `${urlOf(place)} named ${version} before (${how}): ${advice}`;
  throw new GateError(FailureType.RevisionConflict, message);
}

function extensionOf(name: string): string {
  return /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? 'json';
}
