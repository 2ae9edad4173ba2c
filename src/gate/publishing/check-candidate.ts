import { dirname } from 'node:path';
import { messageOf } from '../../kernel/message-of';
import { sha256 } from '../../kernel/digest';
import { placedFaultText, placedMessage } from '../../kernel/fault-text';
import { FailureType, faultsToError, GateError, type Fault } from '../../kernel/failures';
import { readBundle } from '../../rego/bundle/bundle';
import type { PolicyBundle } from '../../rego/bundle/policy-bundle';
import { checkParts } from '../../releases/authoring/check-parts';
import { checkAgainstOpa, type OpaComparison } from '../../releases/authoring/check-against-opa';
import { canAskOpa, type AskedInput } from '../../rego/toolchain/ask-opa';
import { withBundleFolder } from '../../rego/toolchain/bundle-folder';
import { staticFacts } from '../../releases/check-plan';
import type { ReleaseManifest } from '../../releases/publishing/published-release';
import { ReleaseRefusedError } from '../../releases/publishing/release-refused';
import { loadConfigParts, readConfigParts, type ConfigParts } from '../../releases/sources/load-release-config';
import { placedIn, releaseFaults, type ReleaseRules } from '../release-faults';
import { tryRelease } from '../try-release';
import { checkSources } from './check-sources';
import { unresolvedNames } from './unresolved-names';

/** How a candidate is checked. */
export interface CandidateOptions {
  /** what a worker of these settings would ask of it */
  rules: ReleaseRules;
  /** of the policy's sources, where there are any: they are checked as `gate policy check` does */
  folder?: string;
  /** the bundle is new and was made elsewhere: the Rego in it is checked as a folder is, as far as it is there */
  isForeign?: boolean;
  /** of decisions; where it is given, OPA itself is asked what the policy's Rego decides on them and on generated inputs */
  recorded?: readonly AskedInput[];
  /** takes facts that are written down @default true */
  allowStatic?: boolean;
  /** what a worker starts the configuration's relative paths from; absent: they are not looked at */
  configFolder?: string;
  /** the author's file of the configuration, for messages; @default the name in the manifest */
  configFile?: string;
  /** told what the check of its sources warns of */
  onWarning?(message: string): void;
}

/**
 * Loads a release as a worker would and evaluates it once: what workers would refuse is not published.
 *
 * @returns what was compared with OPA
 * @throws GateError with every fault; ReleaseRefusedError when policy and configuration are well, but not together
 */
export async function checkCandidate(
  manifest: ReleaseManifest,
  content: { policy: Uint8Array; config: Uint8Array },
  options: CandidateOptions,
): Promise<Omit<OpaComparison, 'faults'> | undefined> {
  const { recorded } = options;
  const [[policy], parts] = await Promise.all([
    Promise.allSettled([readBundle(content.policy)]),
    configParts(manifest, content.config, options.configFile),
  ]);
  const faults = [...(policy.status === 'rejected' ? faultsOf(policy.reason) : []), ...parts.faults];
  const missing = await missingOf(policy.status === 'fulfilled' ? policy.value : undefined, parts, content, options);
  const { loaded } = parts;
  if (policy.status === 'rejected' || loaded === undefined || faults.length > 0)
    throw faultsToError(unique([...faults, ...missing]));
  const { config, configDocument, configRev } = loaded;
  const ref = { policySha: policy.value.sha, configRev, manifestVersion: manifest.version };
  const release = { ref, policy: policy.value, config, configDocument, loadedAtMs: Date.now() };
  const isAsked = recorded !== undefined && canAskOpa(policy.value);
  const compared = missing.length === 0 && isAsked ? await checkAgainstOpa(release, recorded) : undefined;
  missing.push(...(compared?.faults ?? []));
  if (missing.length > 0) throw checkFailed(missing);
  await tryRelease(release);
  return compared && { generated: compared.generated, recorded: compared.recorded };
}

/** The author's own file is read where it lies, so that what is said of it names its lines. */
async function configParts(manifest: ReleaseManifest, bytes: Uint8Array, file?: string): Promise<ConfigParts> {
  if (file === undefined) return readConfigParts(bytes, manifest.config);
  const parts = await loadConfigParts(file);
  if (parts.loaded === undefined || parts.loaded.configRev === sha256(bytes)) return parts;
  const message = `${file}: changed while it was read; try again`;
  return { ...parts, faults: [...parts.faults, { type: FailureType.ConfigInvalid, message, where: file }] };
}

/** Everything that keeps the sound parts of the two from being one release. */
async function missingOf(
  policy: PolicyBundle | undefined,
  { loaded }: ConfigParts,
  content: { policy: Uint8Array },
  { rules, folder, isForeign = false, allowStatic = true, configFolder, configFile, onWarning }: CandidateOptions,
): Promise<Fault[]> {
  if (loaded === undefined) return [];
  const parts = { loaded, faults: [] };
  const inSources = async (dir: string): Promise<Fault[]> => {
    const { errors, warnings } = await checkSources(dir, parts, rules);
    for (const warning of warnings) onWarning?.(placedMessage(warning));
    return errors;
  };
  const placed = (fault: Fault): Fault => (loaded.place === undefined ? fault : placedIn(loaded.place, fault));
  const missing = allowStatic ? [] : staticFacts(loaded.config).map(placed);
  missing.push(...(await releaseFaults(policy, loaded, rules)));
  if (policy !== undefined) {
    if (folder !== undefined) missing.push(...(await inSources(folder)));
    else if (isForeign && canAskOpa(policy)) missing.push(...(await withBundleFolder(content.policy, inSources)));
    else if (isForeign && Object.keys(policy.sources).length > 0) {
      missing.push(...(await withBundleFolder(content.policy, checkParts, { leftOut: policy.entrypoint })));
    }
  }
  if (configFolder !== undefined) {
    const inPlace = configFile === undefined ? undefined : dirname(configFile);
    missing.push(...(await unresolvedNames(loaded.config, configFolder, inPlace)).map(placed));
  }
  return unique(missing);
}

/** One check may find what another found. */
export const unique = (faults: readonly Fault[]): Fault[] => [
  ...new Map(faults.map((fault) => [fault.message, fault])).values(),
];

function checkFailed(faults: readonly Fault[]): ReleaseRefusedError {
  const lines = faults.map(placedFaultText);
  return new ReleaseRefusedError(`the release does not pass its check:\n  ${lines.join('\n  ')}`);
}

function faultsOf(error: unknown): readonly Fault[] {
  if (error instanceof GateError) return error.faults;
  const message = messageOf(error);
  return [{ type: FailureType.PolicyInvalid, message }];
}
