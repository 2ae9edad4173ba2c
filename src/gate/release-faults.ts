import { messageOf } from '../kernel/message-of';
import { FailureType, GateError, type Fault } from '../kernel/failures';
import { toPointer } from '../kernel/json-pointer';
import { faultAt, type DocumentPlace } from '../platform/documents/validate';
import { idleMasks } from '../rego/analysis/idle-masks';
import type { PolicyBundle } from '../rego/bundle/policy-bundle';
import { missingPlan } from '../releases/check-plan';
import { checkRelease } from '../releases/check-release';
import type { LoadedConfig } from '../releases/sources/release-source';
import { placedInSettings } from '../settings/settings-place';
import type { Facts } from './facts/service/open-facts';

/** What decides whether a process takes a release. */
export interface ReleaseRules {
  /** builds the providers of the release, as collecting will */
  facts: Pick<Facts, 'idsOf'>;
  /** the setting `release.allowWasmOnly` @default false */
  allowWasmOnly?: boolean;
  /** pointers of the settings: one that hides nothing under this policy is a fault */
  masks?: readonly string[];
  /** the file of the settings, for faults about them */
  settingsPlace?: DocumentPlace;
  /** what else a policy lacks on this process */
  faultsOf?(policy: PolicyBundle): readonly Fault[];
}

/**
 * Everything that keeps a policy and a configuration from being a release here: providers that cannot be built, facts and
 * limits that are read and missing, a plan that is missing. A worker that loads a release, `gate policy check`, `publish`
 * and `gate doctor` all ask this one function, so that none of them takes what another refuses.
 *
 * @param policy absent where it is refused by itself: then the providers alone are looked at
 * @returns every fault, those about the configuration with its file and line; an empty list when it can be one release
 */
export async function releaseFaults(
  policy: PolicyBundle | undefined,
  loaded: LoadedConfig,
  { facts, allowWasmOnly, masks = [], settingsPlace, faultsOf }: ReleaseRules,
): Promise<Fault[]> {
  if (policy === undefined) return providerFaults(loaded, facts);
  const { config, configDocument, place, leftOut = [] } = loaded;
  const built = await buildProviders({ policy, config, configDocument }, facts);
  const found = [
    ...missingPlan(policy, allowWasmOnly),
    ...built.faults,
    ...checkRelease(policy, config, configDocument, built.ids),
    ...idleMasks(masks, policy).map((fault) => placedInSettings(settingsPlace, fault)),
    ...(faultsOf?.(policy) ?? []),
  ];
  // A part that is refused by itself is not missing as well.
  const isAbout = (where: string, path: string): boolean => where === path || where.startsWith(`${path}.`);
  const own = found.filter(
    ({ where = '' }) => !leftOut.some((path) => isAbout(where, path) || isAbout(where, `data.config.${path}`)),
  );
  return place === undefined ? own : own.map((fault) => placedIn(place, fault));
}

/** What keeps the providers of a configuration from being built, where there is no policy to say which facts it needs. */
export async function providerFaults(
  { config, configDocument, place }: LoadedConfig,
  facts: ReleaseRules['facts'],
): Promise<Fault[]> {
  const { faults } = await buildProviders({ policy: { inputSchema: {} }, config, configDocument }, facts);
  return faults.map((fault) => (place === undefined ? fault : placedIn(place, fault)));
}

async function buildProviders(
  release: Parameters<Facts['idsOf']>[0],
  facts: ReleaseRules['facts'],
): Promise<{ ids: readonly string[]; faults: readonly Fault[] }> {
  try {
    return { ids: await facts.idsOf(release), faults: [] };
  } catch (error) {
    if (error instanceof GateError) return { ids: [], faults: error.faults };
    // A provider's own error says nothing about the others.
    const message = `The providers cannot be built: ${messageOf(error)}`;
    return { ids: [], faults: [{ type: FailureType.ConfigInvalid, message, where: 'facts' }] };
  }
}

/** A fault about a part of the configuration, with the file and line of that part, or of what is around it. */
export function placedIn(place: DocumentPlace, fault: Fault): Fault {
  const path = /^(?:data\.config\.((?:limits|parameters)\b.*)|(facts\b.*))$/.exec(fault.where ?? '');
  const keys = path?.[1] ?? path?.[2];
  if (keys === undefined) return fault;
  const { message, where } = faultAt(place, toPointer(keys.split('.')), fault.message);
  return { ...fault, message, where };
}
