import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { faultsToError, GateError, type Fault } from '../../kernel/failures';
import { placedFaultText } from '../../kernel/fault-text';
import type { Manifest } from '../../releases/manifest';
import {
  carryOut,
  planPromote,
  planPublish,
  type Act,
  type PlannedRelease,
  type ReleaseFile,
} from '../../releases/publishing/publish';
import {
  readCurrent,
  requireCurrent,
  urlOf,
  type ManifestPlace,
  type CurrentManifest,
} from '../../releases/publishing/published-release';
import {
  readConfigFile,
  readPolicyFile,
  readSigningKey,
  type PolicyFile,
  type PolicyToPublish,
  type SigningOptions,
} from '../../releases/publishing/read-release-files';
import { probeStore } from '../../releases/publishing/probe-store';
import { settleNames } from '../../releases/publishing/settle-names';
import { readHistory, type ListedEntry } from '../../releases/publishing/release-history';
import { actorOf, openManifestPlace } from '../../releases/publishing/release-place';
import { signManifest } from '../../releases/signing/manifest-signature';
import { publicationTime } from '../../releases/signing/publication-order';
import type { BundleKey } from '../../rego/bundle/signing/bundle-key';
import { planRollback } from '../../releases/publishing/rollback';
import type { Surroundings } from '../../releases/sources/open-named-release';
import type { LoadedSettings } from '../../settings/load-settings';
import type { RegisteredProvider } from '../facts/registry';
import { configFolderOf, releaseRules } from '../release-rules';
import { ReleaseRefusedError } from '../../releases/publishing/release-refused';
import { loadConfigParts, type ConfigParts } from '../../releases/sources/load-release-config';
import { providerFaults } from '../release-faults';
import { checkCandidate, unique, type CandidateOptions } from './check-candidate';
import { checkSources } from './check-sources';
import { isSignedBy, signatureWarnings } from './manifest-signing';
import { recordedInputs } from './recorded-inputs';

/** What every act on a manifest is told. */
export interface ManifestRequest extends Surroundings {
  /** says where the manifest is, how S3 is reached, and whether a policy without a plan is taken */
  settings: LoadedSettings;
  /** the manifest: a path, file:// or s3://; @default that of the settings */
  to?: string;
  /** who acts, as declared; @default the user of this machine */
  by?: string;
  /** signs the manifest, which then names a time after the one in place; @default not signed */
  signing?: SigningOptions;
  /** what the gate of a program collects beside the release's own facts, as `createGate` is handed it: the check counts on it */
  providers?: readonly RegisteredProvider[];
  /** told of a file in the history's place that is no entry of it */
  onUnreadable?(key: string, why: string): void;
  /** told what could not be made sure of and keeps no one from publishing */
  onWarning?(message: string): void;
}

/** A release that is made of files; what is left out stays as the manifest names it. */
export interface NewRelease {
  /** names the release for ever */
  version: string;
  /** the policy, built or to be built */
  policy?: PolicyToPublish;
  /** file of the release configuration: .pkl, .json or .yaml */
  config?: string;
}

/** What is published, and where. */
export interface PublishRequest extends ManifestRequest {
  /** new files, or the release that another manifest names, as it is */
  release: NewRelease | { promote: string };
  /** let facts be written down in the configuration (type: static), which is for trials */
  allowStatic?: boolean;
  /** do everything but write */
  dryRun?: boolean;
}

/** What is pointed back, and to which release. */
export interface RollbackRequest extends ManifestRequest {
  /** the release to point back to; @default the one before the present one */
  version?: string;
}

/** What became of a manifest. */
export interface PublishResult {
  /** the manifest's URL */
  url: string;
  /** what it names now, or would name after a dry run */
  manifest: Manifest;
  /** the version that it named before; absent when it did not exist */
  previousVersion?: string;
  /** false when it names this release already */
  differs: boolean;
  /** false when nothing was written: it names the release already, or this was a dry run */
  written: boolean;
  /** who acted, as declared */
  by: string;
  /** on how many inputs OPA answers as the plan's evaluator does; absent when this act changes no policy */
  opa?: ComparedWithOpa;
}

/** Inputs on which a policy was put to OPA itself, and found to decide alike. */
export interface ComparedWithOpa {
  /** made from the policy's limits and schemas */
  generated: number;
  /** of the last decisions in the audit store that hold nothing masked */
  recorded: number;
  /** why decisions of the store are lacking */
  unread?: string;
}

/**
 * Publishes policy and configuration as one release: builds and tests the policy, checks it with the configuration as a worker
 * would, writes both, and last the manifest that names them. Of two publishers at once one wins.
 *
 * @throws GateError with every fault, RevisionConflict when somebody else was faster; ReleaseRefusedError when the policy's
 *   tests or the check of the release fail; NotConfirmedError when the store did not answer the last write
 */
export async function publish(request: PublishRequest): Promise<PublishResult> {
  const { settings, release, dryRun = false, allowStatic = false } = request;
  const opened = await openManifest(request);
  const { place, current, history, act } = opened;
  const again = await isUnsigned(opened);
  if ('promote' in release) {
    const source = await openManifestPlace(settings, release.promote, request.cwd);
    const promoted = requireCurrent(source, await readCurrent(source));
    const planned = await planPromote(source, promoted, place, current, history, { ...act, again });
    return finish(request, opened, planned, { dryRun, allowStatic });
  }
  const { config, policy } = await readFiles(release, request, place);
  const planned = await planPublish(place, current, history, {
    ...act,
    again,
    version: release.version,
    ...(policy ? { policy } : {}),
    ...(config ? { config } : {}),
  });
  const configFile = release.config === undefined ? undefined : resolve(request.cwd, release.config);
  return finish(request, opened, planned, {
    dryRun,
    allowStatic,
    folder: policy?.folder,
    refused: policy?.refused,
    configFile,
    isNew: policy !== undefined,
  });
}

/** Both are read before either is refused: what is wrong with one says nothing about the other. */
async function readFiles(
  release: NewRelease,
  request: PublishRequest,
  place: ManifestPlace,
): Promise<{ config?: ReleaseFile; policy?: PolicyFile }> {
  const [config, policy] = await Promise.allSettled([
    release.config === undefined ? undefined : readConfigFile(release.config, request),
    release.policy === undefined ? undefined : readPolicyFile(release.policy, request, request.signing),
  ]);
  if (config.status === 'fulfilled' && policy.status === 'fulfilled')
    return {
      ...(config.value && { config: config.value }),
      ...(policy.value && { policy: policy.value }),
    };
  const errors = [config, policy].flatMap((part) => (part.status === 'rejected' ? [part.reason as unknown] : []));
  const broken = errors.find((error) => !(error instanceof GateError));
  if (broken !== undefined) throw broken;
  const faults = errors.flatMap((error) => (error instanceof GateError ? error.faults : []));
  const error = faultsToError(unique([...faults, ...(await faultsOfFiles(release, request, place))]));
  throw policy.status === 'fulfilled' && policy.value?.refused ? withTests(policy.value.refused, error) : error;
}

/** What else is wrong with files of which one cannot be read or built at all. */
async function faultsOfFiles(
  { config, policy }: NewRelease,
  { settings, env, cwd, providers }: PublishRequest,
  place: ManifestPlace,
): Promise<readonly Fault[]> {
  const file = config === undefined ? undefined : resolve(cwd, config);
  const parts: ConfigParts = file === undefined ? { faults: [] } : await loadConfigParts(file);
  const rules = releaseRules(settings, env, configFolderOf(settings, place.store.url, config ?? ''), providers);
  const folder = policy === undefined ? undefined : resolve(cwd, policy.path);
  if (folder !== undefined && (await isFolder(folder))) {
    // A folder that cannot be read is among the faults already.
    const checked = await checkSources(folder, parts, rules).catch(() => undefined);
    if (checked !== undefined) return checked.errors;
  }
  return [...parts.faults, ...(parts.loaded === undefined ? [] : await providerFaults(parts.loaded, rules.facts))];
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Failing tests are told with everything else that keeps the release from being published. */
function withTests(tests: ReleaseRefusedError, error: unknown): unknown {
  if (error instanceof ReleaseRefusedError) return new ReleaseRefusedError(`${tests.message}\n${error.message}`);
  if (!(error instanceof GateError)) return error;
  return new ReleaseRefusedError([tests.message, ...error.faults.map(placedFaultText)].join('\n  '));
}

/**
 * Points the manifest back to an earlier release, after its files were read, compared with their digests and checked as a
 * worker would.
 *
 * @throws as `publish`; GateError ConfigInvalid when there is no such release
 */
export async function rollBack(request: RollbackRequest): Promise<PublishResult> {
  const opened = await openManifest(request);
  const current = requireCurrent(opened.place, opened.current);
  const again = await isUnsigned(opened);
  const planned = await planRollback(opened.place, current, opened.history, request.version, { ...opened.act, again });
  return finish(request, opened, planned, {});
}

interface OpenedManifest {
  place: ManifestPlace;
  current: CurrentManifest | undefined;
  history: readonly ListedEntry[];
  act: Act;
  /** what the manifest is signed with */
  key?: BundleKey;
}

/** Whether there is a key, and the manifest in force lacks its signature: then it is written again. */
async function isUnsigned({ place, current, key }: OpenedManifest): Promise<boolean> {
  return key !== undefined && current !== undefined && !(await isSignedBy(place, current, key));
}

async function openManifest(request: ManifestRequest): Promise<OpenedManifest> {
  const place = await openManifestPlace(request.settings, request.to, request.cwd);
  const by = actorOf(request.by, request.env);
  const key = request.signing && (await readSigningKey(request.signing, request));
  const current = await readCurrent(place);
  const { at, warning } = publicationTime(Date.now(), key && current?.manifest.publishedAt);
  if (warning !== undefined) request.onWarning?.(warning);
  const history = await readHistory(place, (key, why) => request.onUnreadable?.(key, why));
  return { place, current, history, act: { by, at }, ...(key && { key }) };
}

/** Checks what was planned, and writes it; without a plan the manifest names the release already. */
async function finish(
  request: ManifestRequest,
  { place, current, act, key }: OpenedManifest,
  planned: PlannedRelease | undefined,
  {
    dryRun = false,
    isNew = false,
    refused,
    ...check
  }: { dryRun?: boolean; isNew?: boolean; refused?: ReleaseRefusedError } & Pick<
    CandidateOptions,
    'allowStatic' | 'folder' | 'configFile'
  >,
): Promise<PublishResult> {
  if (refused !== undefined && planned === undefined) throw refused;
  let settled = planned;
  let opa: ComparedWithOpa | undefined;
  if (planned) {
    const configFolder = configFolderOf(request.settings, place.store.url, planned.manifest.config);
    const past = isNew ? await recordedInputs(request.settings, request) : undefined;
    const recorded = past === undefined ? {} : { recorded: past.inputs };
    const compared = await checkCandidate(planned.manifest, planned.content, {
      rules: releaseRules(request.settings, request.env, configFolder, request.providers),
      configFolder,
      isForeign: isNew,
      onWarning: request.onWarning?.bind(request),
      ...check,
      ...recorded,
    }).catch((error: unknown) => {
      throw refused === undefined ? error : withTests(refused, error);
    });
    if (refused !== undefined) throw refused;
    opa = compared && { ...compared, ...(past?.unread === undefined ? {} : { unread: past.unread }) };
    settled = await settleNames(place, planned);
    for (const warning of await signatureWarnings(place, settled, key, request)) request.onWarning?.(warning);
    if (!dryRun) {
      const unknown = await probeStore(place);
      if (unknown !== undefined) request.onWarning?.(unknown);
      await carryOut(place, current, settled, act, key && ((bytes) => signManifest(bytes, key)));
    }
  }
  return {
    url: urlOf(place),
    manifest: (settled ?? requireCurrent(place, current)).manifest,
    ...(current ? { previousVersion: current.manifest.version } : {}),
    differs: planned !== undefined,
    written: planned !== undefined && !dryRun,
    by: act.by,
    ...(opa === undefined ? {} : { opa }),
  };
}
