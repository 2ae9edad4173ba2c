import { parseDuration } from '../../kernel/duration';
import { boundedFaults } from '../../kernel/bounded-faults';
import { faultsToError, GateError } from '../../kernel/failures';
import { LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import type { Release } from '../../releases/release';
import type { CollectResult, FactCollector } from './collector';
import type { FactTarget } from './fact';
import { factsFault } from './fact-size';
import type { FactRegistry } from './registry';
import type { Snapshot, SnapshotFailure } from './snapshot';

/** No snapshot could be made; `failure` holds everything that the error's record needs. */
export class SnapshotError extends GateError {
  /** its faults, no more than `LIMITS.faults` */
  readonly failure: SnapshotFailure;

  constructor(failure: SnapshotFailure) {
    const bounded = boundedFaults(failure.faults);
    const { type, message, faults } = faultsToError(bounded);
    super(type, shortText(message, LIMITS.failureChars), faults);
    this.failure = { ...failure, faults: bounded };
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
  const { sizes } = release.config;
  const { facts, faults, completedAtMs }: CollectResult = await collector.collect({
    providers,
    factIds,
    target,
    allowedClockSkewMs: parseDuration(release.config.allowedClockSkew),
    circuitBreaker: { failures, halfOpenAfterMs: parseDuration(halfOpenAfter) },
    maxFactBytes: sizes.factBytes,
    bypassCache,
  });
  const tooBig = factsFault(facts, sizes.snapshotBytes);
  const common = {
    ...{ decisionId, decisionTimeMs: completedAtMs, target, release: release.ref },
    facts: tooBig === undefined ? facts : [],
  };
  if (tooBig !== undefined) throw new SnapshotError({ ...common, faults: [...faults, tooBig] });
  if (faults.length > 0) throw new SnapshotError({ ...common, faults });
  const maxAgeMs: Record<string, number> = {};
  for (const factId of factIds) {
    const entry = providers.get(factId);
    if (entry !== undefined && entry.provider.alwaysFresh !== true) maxAgeMs[factId] = entry.maxAgeMs;
  }
  return { ...common, maxAgeMs };
}
