import type { PrometheusProviderConfig } from '../../../releases/config/release-config';
import { FailureType } from '../../../kernel/failures';
import { isJsonObject, type JsonValue } from '../../../kernel/json';
import { parseTimeOrEpoch } from '../../../kernel/time';
import { failure, requestJson } from './http-request';
import type { ProviderKind } from '../provider-kind';
import { withSignal } from '../../../platform/timers/with-signal';
import { checkUrl, redactUrl } from './url';

interface Sample {
  value: number;
  timeMs: number;
}
type Aggregation = NonNullable<PrometheusProviderConfig['aggregation']>;

const AGGREGATE: Record<Aggregation, (values: number[]) => number> = {
  min: (values) => values.reduce((a, b) => Math.min(a, b)),
  max: (values) => values.reduce((a, b) => Math.max(a, b)),
  sum: (values) => values.reduce((a, b) => a + b, 0),
  avg: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  count: (values) => values.length,
};

// A metric's name with or without matchers, or matchers alone, and perhaps an offset. `nan` and `inf` are numbers.
const MATCHERS = String.raw`\{(?:[^{}"'\x60]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\x60[^\x60]*\x60)*\}`;
const SELECTOR = new RegExp(
  String.raw`^\s*(?!(?:nan|inf)\s*$)(?:[a-z_:][\w:]*\s*(?:${MATCHERS})?|${MATCHERS})\s*(?:offset\s+-?\w+\s*)?$`,
  'i',
);

/**
 * An instant query (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries).
 *
 * The time that its answer carries is that of the evaluation, and a sample is answered for up to five minutes after its
 * exporter died. So the samples' own times are asked for side by side: `timestamp(query)` when `query` is a selector,
 * else `timestampQuery` (epoch seconds, such as `min(timestamp(m))` for `sum(m)`); the fact was observed at the oldest.
 * PromQL's functions, operators and aggregations lose the time: such a `query` without a `timestampQuery` counts as
 * observed when it was evaluated, however old its samples are.
 */
export const prometheus: ProviderKind<PrometheusProviderConfig> = {
  type: 'prometheus',
  create(factId, config, schema, deps) {
    checkUrl(config.base, `facts.${factId}.base`);
    const { aggregation, headers, bearerToken } = config;
    const urlOf = (query: string) =>
      `${config.base.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(query)}`;
    const selects = SELECTOR.test(config.query);
    const timesQuery = config.timestampQuery ?? (selects ? `timestamp(${config.query})` : undefined);
    const url = urlOf(config.query);
    const source = `prometheus ${redactUrl(url)}`;

    async function ask(askedUrl: string, signal: AbortSignal): Promise<[Sample, ...Sample[]]> {
      const answer = await requestJson({ factId, url: askedUrl, headers, bearerToken, signal, deps });
      const samples = readSamples(answer);
      const invalid = (what: string) => failure(FailureType.FactInvalid, { factId, url: askedUrl }, what);
      if (samples === undefined) throw invalid('answered no instant vector or scalar with finite samples');
      const [first, ...others] = samples;
      if (first === undefined) throw invalid('answered no series');
      return [first, ...others];
    }

    async function askTimes(signal: AbortSignal): Promise<number[] | undefined> {
      if (timesQuery === undefined) return undefined;
      const timesUrl = urlOf(timesQuery);
      return (await ask(timesUrl, signal)).map(({ value }) => {
        const timeMs = parseTimeOrEpoch(Math.round(value * 1000));
        if (timeMs !== undefined) return timeMs;
        throw failure(FailureType.FactInvalid, { factId, url: timesUrl }, 'answered no time in epoch seconds');
      });
    }

    return {
      factId,
      description: config.description ?? `Prometheus query ${config.query}`,
      schema,
      source,
      // When one of the two questions has failed, the other's answer is of no use: both end with the signal.
      collect: (_target, signal) =>
        withSignal({ signals: [signal] }, async (either) => {
          const [samples, times] = await Promise.all([ask(url, either), askTimes(either)]);
          if (samples.length > 1 && aggregation === undefined) {
            const what = `answered ${samples.length} series; name an aggregation or narrow the query`;
            throw failure(FailureType.FactInvalid, { factId, url }, what);
          }
          if (config.timestampQuery === undefined && times !== undefined && times.length !== samples.length) {
            const what = `answered ${samples.length} series, but times of ${times.length}: they changed in between`;
            throw failure(FailureType.FactSourceUnavailable, { factId, url }, what);
          }
          const value = AGGREGATE[aggregation ?? 'max'](samples.map((sample) => sample.value));
          return { value, observedAtMs: Math.min(...(times ?? samples.map(({ timeMs }) => timeMs))), source };
        }),
    };
  },
};

/** The samples of an answer; undefined when its shape is another or one of them is NaN or infinite. */
function readSamples(answer: JsonValue): Sample[] | undefined {
  const data = isJsonObject(answer) && answer['status'] === 'success' ? answer['data'] : undefined;
  if (!isJsonObject(data) || !Array.isArray(data['result'])) return undefined;
  const { resultType, result } = data;
  let pairs: unknown[];
  if (resultType === 'scalar') pairs = [result];
  else if (resultType === 'vector')
    pairs = result.map((series) => (isJsonObject(series) ? series['value'] : undefined));
  else return undefined;
  const samples: Sample[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'number' || typeof pair[1] !== 'string') return undefined;
    const value = pair[1].trim() === '' ? NaN : Number(pair[1]);
    if (!Number.isFinite(value)) return undefined;
    samples.push({ value, timeMs: Math.round(pair[0] * 1000) });
  }
  return samples;
}
