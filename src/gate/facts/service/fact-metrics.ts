import type { Registry } from 'prom-client';
import type { FactMetrics } from '../fact-metrics';
import { createLabelCap } from '../../../platform/observability/label-cap';
import { metricsOn } from '../../../platform/observability/metrics-on';

/** Distinct facts and providers that the metrics tell apart; further ones count as `other`. */
const LABEL_LIMITS = { fact: 200, provider: 20 } as const;
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Declares the metrics of facts. Their failures count among those of the gate (`gate_errors_total`). */
export function createFactMetrics(registry: Registry): Omit<FactMetrics, 'failure'> {
  const { counter, gauge, histogram } = metricsOn(registry);
  const durations = histogram(
    'gate_fact_provider_duration_seconds',
    'Time that a request to a source of facts took, by provider and fact',
    REQUEST_BUCKETS,
    ['provider', 'fact'],
  );
  const ages = gauge('gate_fact_age_seconds', 'Age of the fact when it was last judged, by fact', ['fact']);
  const cacheHits = counter('gate_fact_cache_hits_total', 'Facts served from the cache');
  const factLabel = createLabelCap(LABEL_LIMITS.fact);
  const providerLabel = createLabelCap(LABEL_LIMITS.provider);
  return {
    observeLatency: (provider, fact, seconds) =>
      durations.observe({ provider: providerLabel(provider), fact: factLabel(fact) }, seconds),
    cacheHit: () => cacheHits.inc(),
    observeAge: (fact, seconds) => ages.set({ fact: factLabel(fact) }, seconds),
  };
}
