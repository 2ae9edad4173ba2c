import { dirname } from 'node:path';
import type { Fault } from '../kernel/failures';
import { systemClock, systemTimers } from '../platform/timers/system-timers';
import type { Release } from '../releases/release';
import { collectSnapshot, SnapshotError } from './facts/collect-snapshot';
import { createFactCollector } from './facts/collector';
import type { Fact, FactTarget } from './facts/fact';
import { PROVIDER_KINDS } from './facts/providers';
import { registryFromConfig } from './facts/registry';
import { kindsWithoutSettings } from './release-rules';

/** What a dry run evaluates its policy over. */
export interface CollectedFacts {
  /** those that could be had */
  facts: Fact[];
  /** why others could not; with one, nothing is evaluated */
  faults: readonly Fault[];
  /** how old each may be */
  maxAgeMs: Record<string, number>;
  /** epoch milliseconds */
  decisionTimeMs: number;
}

/** Where the configured providers are asked from. Paths are absolute. */
export interface CollectionPlace {
  /** the release configuration; absent, the defaults are in force */
  config?: string;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  target: FactTarget;
}

/** From the configured providers, now: the same collection as a worker's. */
export async function collectNow(
  { config: configPath, env, cwd, target }: CollectionPlace,
  release: Release,
): Promise<CollectedFacts> {
  const configFolder = configPath === undefined ? cwd : dirname(configPath);
  const { config, policy, configDocument } = release;
  const providers = await registryFromConfig({
    facts: config.facts,
    inputSchema: policy.inputSchema,
    kinds: [...PROVIDER_KINDS, ...kindsWithoutSettings(env)],
    deps: { env, configFolder, configDocument },
  });
  try {
    const snapshot = await collectSnapshot({
      release,
      target,
      collector: createFactCollector({ clock: systemClock, timers: systemTimers }),
      providersOf: () => providers,
      newDecisionId: () => 'dry-run',
    });
    return { facts: snapshot.facts, faults: [], maxAgeMs: snapshot.maxAgeMs, decisionTimeMs: snapshot.decisionTimeMs };
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    const { facts, faults, decisionTimeMs } = error.failure;
    return { facts, faults, maxAgeMs: {}, decisionTimeMs };
  }
}
