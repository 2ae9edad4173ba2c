import { allOrFaults } from '../../../kernel/all-or-faults';
import type { PrometheusProviderConfig } from '../../../releases/config/release-config';
import { FailureType, faultsToError, GateError } from '../../../kernel/failures';
import { withSignal } from '../../../platform/timers/with-signal';
import type { Observation } from '../fact';
import type { ProviderKind } from '../provider-kind';
import { parseTimeOrEpoch } from '../../../kernel/time';
import { failure } from './http-request';
import { prometheusError, readPrometheusAnswer, type Sample } from './prometheus-answer';
import { escapeForPromql } from './promql-parameters';
import { promqlAges, sampleTimeQuery, type PromqlAges } from './promql-selectors';
import { checkBaseUrl, createSource } from './source';
import { redactUrl } from './url';

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
 * The time that its answer carries is that of the evaluation, and a sample is answered for up to five minutes after its
 * exporter died; `rate` answers longer still. So for each selector of the query the oldest present sample is asked for,
 * side by side, and the fact was observed at the oldest of all; a selector without a present sample is `FactStale`.
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
    const urlOf = (asked: string, atMs: number): string =>
      `${base}/api/v1/query?query=${encodeURIComponent(asked)}&time=${(atMs / 1000).toFixed(3)}`;
    const shown = `prometheus ${redactUrl(base)}/api/v1/query`;

    return {
      factId,
      description: config.description ?? `Prometheus query ${query}`,
      schema,
      source: `${shown} ${query}`,
      async collect(target, signal) {
        const atMs = Date.now();
        const filled = source.fill(query, target, escapeForPromql);

        async function ask(
          asked: string,
          either: AbortSignal,
        ): Promise<{ samples: readonly Sample[]; warnings: readonly string[] }> {
          const url = urlOf(asked, atMs);
          const explain = (status: number, body: Parameters<typeof prometheusError>[0]): string | undefined => {
            if (status !== 400 && status !== 422) return undefined;
            return `refused the query (${status}): ${prometheusError(body) ?? 'it gave no reason'}; asked was ${asked}`;
          };
          const { body } = await source.ask(url, target, either, explain);
          const answer = readPrometheusAnswer(body);
          const invalid = (what: string): GateError =>
            failure(FailureType.FactInvalid, { factId, url: base }, `${what}; asked was ${asked}`);
          if ('fault' in answer) throw invalid(answer.fault);
          if (answer.warnings.length > 0 && config.allowPartial !== true) {
            const words = answer.warnings.join('; ');
            throw invalid(`gave a partial answer (${words}); where that will do, ${place}.allowPartial: true takes it`);
          }
          return answer;
        }

        async function askTimes(either: AbortSignal): Promise<number[]> {
          if (timestampQuery !== undefined)
            return timesOf(await ask(source.fill(timestampQuery, target, escapeForPromql), either));
          const { selectors } = promqlAges(filled);
          return Promise.all(
            selectors.map(async (selector) => {
              const [oldestMs] = timesOf(await ask(sampleTimeQuery(selector), either));
              if (oldestMs === undefined) throw noPresentSample(selector.text);
              return oldestMs + selector.offsetMs;
            }),
          );
        }

        function timesOf({ samples }: { samples: readonly Sample[] }): number[] {
          return samples.map(({ value }) => {
            const timeMs = parseTimeOrEpoch(Math.round(value * 1000));
            // a time beyond the year 5000 is one in milliseconds
            if (timeMs !== undefined && timeMs < 1e14) return timeMs;
            const hint = value >= 1e11 ? '; it looks like milliseconds' : '';
            throw failure(
              FailureType.FactInvalid,
              { factId, url: base },
              `answered ${value} as a time, expected epoch seconds${hint}`,
            );
          });
        }

        function noPresentSample(selector: string): GateError {
          const message = `Fact ${factId}: ${redactUrl(base)} has no present sample of ${selector}`;
          const type = FailureType.FactStale;
          return new GateError(type, message, [{ type, message, factId, where: redactUrl(base) }]);
        }

        // When one of them has failed, the others' answers are of no use: they end with it.
        return withSignal({ signals: [signal] }, async (either) => {
          const times = askTimes(either).then(
            (found) => ({ found }),
            (error: unknown) => ({ error }),
          );
          const answer = await ask(filled, either);
          if (answer.samples.length === 0 && typeof config.onMissing === 'object') return source.missing(base, '');
          const timed = await times;
          if ('error' in timed) throw timed.error;
          if (answer.samples.length === 0) return source.missing(base, `answered no series to ${filled}`);
          if (answer.samples.length > 1 && aggregation === undefined) {
            const what = `answered ${answer.samples.length} series to ${filled}; name an aggregation or narrow the query`;
            throw failure(FailureType.FactInvalid, { factId, url: base }, what);
          }
          return observation(answer, timed.found, atMs, aggregation, `${shown} ${filled}`);
        });
      },
    };
  },
};

function observation(
  { samples, warnings }: { samples: readonly Sample[]; warnings: readonly string[] },
  times: readonly number[],
  atMs: number,
  aggregation: Aggregation | undefined,
  source: string,
): Observation {
  return {
    value: AGGREGATE[aggregation ?? 'max'](samples.map((sample) => sample.value)),
    observedAtMs: times.reduce((oldest, time) => Math.min(oldest, time), atMs),
    source,
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

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
