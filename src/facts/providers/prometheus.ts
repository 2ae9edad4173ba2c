import type { PrometheusProviderConfig } from '../../config/release-config';
import { FailureType } from '../../failures';
import { isJsonObject, type JsonValue } from '../../json';
import { failure, requestJson } from './http-request';
import type { ProviderKind } from './provider-kind';
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

/**
 * An instant query (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). The fact was observed
 * at the sample's time; an aggregation of several series at the oldest one's.
 */
export const prometheus: ProviderKind<PrometheusProviderConfig> = {
  type: 'prometheus',
  create(factId, config, schema, deps) {
    checkUrl(config.base, `facts.${factId}.base`);
    const url = `${config.base.replace(/\/+$/, '')}/api/v1/query?query=${encodeURIComponent(config.query)}`;
    const source = `prometheus ${redactUrl(url)}`;
    return {
      factId,
      description: config.description ?? `Prometheus query ${config.query}`,
      schema,
      source,
      async collect(_target, signal) {
        const { headers, bearerToken, aggregation } = config;
        const answer = await requestJson({ factId, url, headers, bearerToken, signal, deps });
        const samples = readSamples(answer);
        const invalid = (what: string) => failure(FailureType.FactInvalid, { factId, url }, what);
        if (samples === undefined) throw invalid('answered no instant vector or scalar with finite samples');
        const [first] = samples;
        if (first === undefined) throw invalid('answered no series');
        if (samples.length > 1 && aggregation === undefined) {
          throw invalid(`answered ${samples.length} series; name an aggregation or narrow the query`);
        }
        const value = AGGREGATE[aggregation ?? 'max'](samples.map((sample) => sample.value));
        return { value, observedAtMs: Math.min(...samples.map((sample) => sample.timeMs)), source };
      },
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
