import { parseDuration } from '../../kernel/duration';
import { faultsToError, GateError } from '../../kernel/failures';
import type { Release } from '../../releases/release';
import type { CollectResult, FactCollector } from './collector';
import type { FactTarget } from './fact';
import type { FactRegistry } from './registry';
import type { Snapshot, SnapshotFailure } from './snapshot';

/** No snapshot could be made; `failure` holds everything that the error's record needs. */
export class SnapshotError extends GateError {
  constructor(readonly failure: SnapshotFailure) {
    const { type, message, faults } = faultsToError(failure.faults);
    super(type, message, faults);
  }
}

export interface CollectSnapshotOptions {
  release: Release;
  target: FactTarget;
  collector: FactCollector;
  /** the providers that the release configures */
  providersOf(release: Release): FactRegistry | Promise<FactRegistry>;
  newDecisionId(): string;
  bypassCache?: boolean;
}

/**
 * Collects exactly the facts that the release's policy reads. The decision's time is the moment they were complete, by
 * the collector's clock. Throws SnapshotError with all faults when any fact fails.
 */
export async function collectSnapshot(options: CollectSnapshotOptions): Promise<Snapshot> {
  const { release, target, collector, bypassCache } = options;
  const decisionId = options.newDecisionId();
  const providers = await options.providersOf(release);
  const factIds = release.policy.reads.facts;
  const { failures, halfOpenAfter } = release.config.circuitBreaker;
  const { facts, faults, completedAtMs }: CollectResult = await collector.collect({
    providers,
    factIds,
    target,
    allowedClockSkewMs: parseDuration(release.config.allowedClockSkew),
    circuitBreaker: { failures, halfOpenAfterMs: parseDuration(halfOpenAfter) },
    bypassCache,
  });
  const common = { decisionId, decisionTimeMs: completedAtMs, target, release: release.ref, facts };
  if (faults.length > 0) throw new SnapshotError({ ...common, faults });
  const maxAgeMs: Record<string, number> = {};
  for (const factId of factIds) {
    const entry = providers.get(factId);
    if (entry !== undefined && entry.provider.alwaysFresh !== true) maxAgeMs[factId] = entry.maxAgeMs;
  }
  return { ...common, maxAgeMs };
}
