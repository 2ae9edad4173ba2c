import type { FailureType } from '../../kernel/failures';

/** What the fact code tells the metrics; bound to a registry outside. `providerType` is bounded, fact ids are configured. */
export interface FactMetrics {
  /** one request to a source, whatever came of it */
  observeLatency(providerType: string, factId: string, seconds: number): void;
  cacheHit(providerType: string): void;
  /** age of a collected fact when the snapshot was complete */
  observeAge(factId: string, seconds: number): void;
  failure(type: FailureType, providerType: string): void;
}

export const noFactMetrics: FactMetrics = {
  observeLatency: () => undefined,
  cacheHit: () => undefined,
  observeAge: () => undefined,
  failure: () => undefined,
};
