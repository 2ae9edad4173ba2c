import type { ImagePolicySet } from '../../images/policies/image-policy';
import type { PolicyPlaces } from '../../images/sources/load-image-policies';
import type { LoadedSettings } from '../../settings/load-settings';
import { notFound } from '../exit';
import { CliExit, ExitCode, type CommandIo } from '../io';

export interface PolicyPlaceOptions {
  settings?: string;
  /** a file or folder in place of the settings' */
  policies?: string;
}

/** Where policies are, and how they are read with the registries of the settings. */
export interface OpenedPolicies {
  loaded: LoadedSettings;
  /** absolute; undefined where the settings have policies of their own only */
  path: string | undefined;
  /** whether workers of the settings use them */
  isEnabled: boolean;
  /** who else than the owner may write them, a sentence each */
  mayWrite: readonly string[];
  /** @throws GateError ConfigInvalid with every fault */
  load(changed?: PolicyPlaces['changed']): Promise<ImagePolicySet>;
  revision(set: ImagePolicySet): string;
}

/** @throws CliExit 2 where neither the settings nor the options name policies */
export async function openPolicyPlaces(
  io: CommandIo,
  { settings, policies }: PolicyPlaceOptions,
): Promise<OpenedPolicies> {
  const [
    { openLoadedSettings },
    { policyPlaces },
    { loadImagePolicies },
    { revisionOf },
    { whoMayWrite },
    { conditionTypesOf },
    { resolve },
  ] = await Promise.all([
    import('../open-settings.js'),
    import('../../images/service/policy-places.js'),
    import('../../images/sources/load-image-policies.js'),
    import('../../images/service/policy-folder.js'),
    import('../../images/sources/who-may-write.js'),
    import('../../images/service/open-condition-types.js'),
    import('node:path'),
  ]);
  const { canonicalRegistry } = await import('../../images/image-reference.js');
  const loaded = await openLoadedSettings(io, settings);
  const { path, more } = policyPlaces(loaded, policies === undefined ? undefined : resolve(io.cwd, policies));
  if (path === undefined && more.length === 0)
    throw new CliExit(ExitCode.usage, 'expected --policies, or settings with policy.configPath or policy.policies');
  const hosts = new Map(
    Object.entries(loaded.settings.registries).map(([name, { host }]) => [name, canonicalRegistry(host ?? name)]),
  );
  const known = {
    ...(hosts.size === 0 ? {} : { registries: [...hosts.keys()], hosts }),
    secrets: Object.keys(loaded.settings.policy.secrets),
    decrypts: loaded.settings.secrets.identityFile !== undefined,
    ownTypes: new Set((await conditionTypesOf(loaded)).keys()),
  };
  return {
    loaded,
    path,
    isEnabled: loaded.settings.policy.enabled,
    mayWrite: path === undefined ? [] : await whoMayWrite(path),
    load: (changed) => loadImagePolicies(path, known, { more, ...(changed === undefined ? {} : { changed }) }),
    revision: revisionOf,
  };
}

export function sayWhoMayWrite(io: CommandIo, { mayWrite }: Pick<OpenedPolicies, 'mayWrite'>): void {
  for (const sentence of mayWrite) io.stderr.write(`warning: ${sentence}\n`);
}

/** @returns the error that names the nearest id */
export async function noPolicy(set: ImagePolicySet, id: string): Promise<CliExit> {
  const { closeName } = await import('../../platform/documents/close-name.js');
  const close = closeName(id, [...set.byId.keys()]);
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  return notFound(`POLICY_NOT_FOUND: no policy has the id ${id}${hint}`);
}
