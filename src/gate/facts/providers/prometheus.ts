import { allOrFaults } from '../../../kernel/all-or-faults';
import { FailureType, faultsToError, type GateError } from '../../../kernel/failures';
import { createPrometheusClient, type SampleTime } from '../../../platform/sources/prometheus-client';
import { promqlAges, type PromqlAges } from '../../../platform/sources/promql-selectors';
import { checkBaseUrl, redactUrl } from '../../../platform/sources/url';
import { withSignal } from '../../../platform/timers/with-signal';
import type { PrometheusProviderConfig } from '../../../releases/config/release-config';
import type { ProviderKind } from '../provider-kind';
import { factFailure } from './fact-failure';
import { escapeForPromql } from './promql-parameters';
import { createSource } from './source';

type Aggregation = NonNullable<PrometheusProviderConfig['aggregation']>;

const AGGREGATE: Record<Aggregation, (values: number[]) => number> = {
  min: (values) => values.reduce((a, b) => Math.min(a, b)),
  max: (values) => values.reduce((a, b) => Math.max(a, b)),
  sum: (values) => values.reduce((a, b) => a + b, 0),
  avg: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  count: (values) => values.length,
};

/**
 * An instant query (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries), all at one `time`.
 *
 * For each selector of the query the oldest present sample is asked for, side by side (`platform/sources/prometheus-client`), and
 * the fact was observed at the oldest of all; a selector without a present sample is `FactStale`.
 * A deliberate `offset` is counted back. Where that cannot be worked out, `timestampQuery` has to say it: epoch seconds.
 */
export const prometheus: ProviderKind<PrometheusProviderConfig> = {
  type: 'prometheus',
  create(factId, config, schema, deps) {
    const place = `facts.${factId}`;
    const { query, timestampQuery, aggregation } = config;
    const templates = { query, ...(timestampQuery === undefined ? {} : { timestampQuery }) };
    const [base, source] = allOrFaults(
      () => checkBaseUrl(config.base, `${place}.base`),
      () => createSource(factId, config, schema, deps, templates),
      () => checkAges(config, place),
    );
    const partialAdvice = `; where that will do, ${place}.allowPartial: true takes it`;
    const shown = `prometheus ${redactUrl(base)}/api/v1/query`;

    return {
      factId,
      description: config.description ?? `Prometheus query ${query}`,
      schema,
      source: `${shown} ${query}`,
      async collect(target, signal) {
        const atMs = Date.now();
        const filled = source.fill(query, target, escapeForPromql);

        const client = createPrometheusClient({
          ...{ asked: { subject: `Fact ${factId}`, factId }, base },
          request: (url, either, explain) => source.ask(url, target, either, explain),
          ...(config.allowPartial === true ? {} : { partialAdvice }),
        });
        const invalid = (what: string): GateError =>
          factFailure(FailureType.FactInvalid, { factId, url: base }, `${what}; asked was ${filled}`);
        const askTimes = async (either: AbortSignal): Promise<SampleTime[][]> => {
          const asked = timestampQuery && source.fill(timestampQuery, target, escapeForPromql);
          return client.sampleTimes(filled, atMs, either, { timestampQuery: asked });
        };

        // When one of them has failed, the others' answers are of no use: they end with it.
        return withSignal({ signals: [signal] }, async (either) => {
          const times = askTimes(either).then(
            (found) => ({ found }),
            (error: unknown) => ({ error }),
          );
          const { series, warnings } = await client.instant(filled, atMs, either);
          const values = series.map((one) => {
            if ('fault' in one) throw invalid(one.fault);
            return one.value;
          });
          if (values.length === 0 && typeof config.onMissing === 'object') return source.missing(base, '');
          const timed = await times;
          if ('error' in timed) throw timed.error;
          if (values.length === 0) return source.missing(base, `answered no series to ${filled}`);
          if (values.length > 1 && aggregation === undefined) {
            const what = `answered ${values.length} series to ${filled}; name an aggregation or narrow the query`;
            throw factFailure(FailureType.FactInvalid, { factId, url: base }, what);
          }
          return {
            value: AGGREGATE[aggregation ?? 'max'](values),
            observedAtMs: timed.found.flat().reduce((oldest, { timeMs }) => Math.min(oldest, timeMs), atMs),
            source: `${shown} ${filled}`,
            ...(warnings.length === 0 ? {} : { warnings }),
          };
        });
      },
    };
  },
};

/** Refuses a query whose age cannot be known, unless the author says how to ask for it. */
function checkAges(config: PrometheusProviderConfig, place: string): void {
  if (config.timestampQuery !== undefined) return;
  const { unclear } = agesOf(config);
  if (unclear === undefined) return;
  const where = `${place}.timestampQuery`;
  const message = `Expected ${where}, a query for the time of the oldest sample in epoch seconds such as min(timestamp(m)): the age of ${config.query} cannot be worked out, because ${unclear}`;
  throw faultsToError([{ type: FailureType.ConfigInvalid, message, where }]);
}

/** What can be said of the ages behind a fact before its parameters are known. */
export function agesOf({ query }: Pick<PrometheusProviderConfig, 'query'>): PromqlAges {
  // inside quotes and out a parameter of digits reads as what it will be
  return promqlAges(
    query.replace(/\{(?:deployment_id|deploymentId|stage|factId|(?:stage_)?attributes\.[^{}"']+)\}/g, '1'),
  );
}
