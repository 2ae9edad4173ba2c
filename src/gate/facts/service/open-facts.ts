import { randomUUID } from 'node:crypto';
import { systemClock, systemTimers } from '../../../platform/timers/system-timers';
import type { Release } from '../../../releases/release';
import { collectSnapshot } from '../collect-snapshot';
import { createFactCollector } from '../collector';
import type { FactTarget } from '../fact';
import type { FactMetrics } from '../fact-metrics';
import { PROVIDER_KINDS } from '../providers';
import { registryFromConfig, type FactRegistry, type RegisteredProvider } from '../registry';
import type { Snapshot } from '../snapshot';

export interface FactsOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** what the relative paths of a release's configuration start from */
  configFolder: string;
  /** providers of the caller's own, beside those that a release configures */
  providers?: readonly RegisteredProvider[];
  metrics: FactMetrics;
}

/** What a release says about its facts. */
export type FactsOfRelease = Pick<Release, 'policy' | 'config' | 'configDocument'>;

/** The providers of every release, opened once each, and the one collector that they share. */
export interface Facts {
  /** the ids of all facts that can be collected under a release; @throws GateError ConfigInvalid with every fault */
  idsOf(release: FactsOfRelease): Promise<readonly string[]>;
  /** exactly the facts that the release's policy reads; @throws SnapshotError with every fault */
  collect(release: Release, target: FactTarget, bypassCache?: boolean): Promise<Snapshot>;
}

/** Opening does no I/O: providers are created when a release is first seen. */
export function openFacts({ env, configFolder, providers, metrics }: FactsOptions): Facts {
  const collector = createFactCollector({ clock: systemClock, timers: systemTimers, metrics });
  const registries = new WeakMap<object, Promise<FactRegistry>>();
  const registryOf = ({ policy, config, configDocument }: FactsOfRelease): Promise<FactRegistry> => {
    const known = registries.get(configDocument);
    if (known) return known;
    const created = registryFromConfig({
      facts: config.facts,
      inputSchema: policy.inputSchema,
      kinds: PROVIDER_KINDS,
      deps: { env, configFolder, configDocument },
      extra: providers,
    });
    registries.set(configDocument, created);
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
