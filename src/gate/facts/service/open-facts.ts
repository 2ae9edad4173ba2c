import { randomUUID } from 'node:crypto';
import { faultsToError, GateError } from '../../../kernel/failures';
import { systemClock, systemTimers } from '../../../platform/timers/system-timers';
import type { PolicyBundle } from '../../../rego/bundle/policy-bundle';
import type { Release } from '../../../releases/release';
import { namesNotAllowed, type AllowedNames } from '../allowed-names';
import { collectSnapshot } from '../collect-snapshot';
import { createFactCollector } from '../collector';
import type { FactTarget } from '../fact';
import type { FactMetrics } from '../fact-metrics';
import { PROVIDER_KINDS } from '../providers';
import type { ProviderKind } from '../provider-kind';
import { registryFromConfig, type FactRegistry, type RegisteredProvider } from '../registry';
import type { Snapshot } from '../snapshot';

export interface FactsOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** what the relative paths of a release's configuration start from, when its providers are built */
  configFolder(): string;
  /** the folder of the settings: what their own paths start from, and where a release's packages are found */
  settingsFolder: string;
  /** what a release may name; `'anything'` where the user's own file is tried out */
  allow: AllowedNames | 'anything';
  /** kinds of providers of other rooms, beside the gate's own */
  kinds?: readonly ProviderKind[];
  /** providers of the caller's own, beside those that a release configures */
  providers?: readonly RegisteredProvider[];
  /** absent where nothing is collected */
  metrics?: FactMetrics;
}

/** What a release says about its facts. */
export type FactsOfRelease = Pick<Release, 'config' | 'configDocument'> & { policy: Pick<PolicyBundle, 'inputSchema'> };

/** The providers of every release, opened once each, and the one collector that they share. */
export interface Facts {
  /** the ids of all facts that can be collected under a release; @throws GateError ConfigInvalid with every fault */
  idsOf(release: FactsOfRelease): Promise<readonly string[]>;
  /** exactly the facts that the release's policy reads; @throws SnapshotError with every fault */
  collect(release: Release, target: FactTarget, bypassCache?: boolean): Promise<Snapshot>;
}

/** Opening does no I/O: providers are created when a release is first seen. */
export function openFacts(options: FactsOptions): Facts {
  const { env, settingsFolder, allow, kinds = [], providers, metrics } = options;
  const collector = createFactCollector({ clock: systemClock, timers: systemTimers, metrics });
  const registries = new WeakMap<object, Promise<FactRegistry>>();
  const create = async ({ policy, config, configDocument }: FactsOfRelease): Promise<FactRegistry> => {
    const configFolder = options.configFolder();
    const folders = { configFolder, settingsFolder };
    const faults = allow === 'anything' ? [] : namesNotAllowed(config.facts, allow, folders);
    // A module runs as soon as its provider is made; what another names is only read when it is asked.
    const refused = new Set(faults.map(({ factId }) => factId));
    const isMade = ([factId, { type }]: [string, { type: string }]): boolean =>
      type !== 'module' || !refused.has(factId);
    const facts = Object.fromEntries(Object.entries(config.facts).filter(isMade));
    try {
      const registry = await registryFromConfig({
        facts,
        inputSchema: policy.inputSchema,
        kinds: [...PROVIDER_KINDS, ...kinds],
        deps: { env, configFolder, packageFolder: settingsFolder, configDocument },
        extra: providers,
      });
      if (faults.length === 0) return registry;
    } catch (error) {
      if (faults.length === 0 || !(error instanceof GateError)) throw error;
      faults.push(...error.faults);
    }
    throw faultsToError(faults);
  };
  const registryOf = (release: FactsOfRelease): Promise<FactRegistry> => {
    const known = registries.get(release.configDocument);
    if (known) return known;
    const created = create(release);
    registries.set(release.configDocument, created);
    return created;
  };
  return {
    idsOf: async (release) => [...(await registryOf(release)).keys()],
    collect: (release, target, bypassCache) =>
      collectSnapshot({
        release,
        target,
        collector,
        providersOf: registryOf,
        newDecisionId: randomUUID,
        bypassCache,
      }),
  };
}
