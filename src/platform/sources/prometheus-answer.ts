import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';

/** One series of an instant query's answer. Its time is that of the evaluation, which says nothing of the sample's. */
export type Series = SeriesLabels & ({ value: number } | SeriesFault);

interface SeriesLabels {
  /** without a metric's name, as aggregations leave it; a scalar has none */
  labels: Readonly<Record<string, string>>;
}

/** Why no number can be taken from a series: the rest of a sentence that begins with the source's name. */
interface SeriesFault {
  fault: string;
}

/** What an instant query answered, as far as it can be used. */
export type PrometheusAnswer = { series: readonly Series[]; warnings: readonly string[] } | SeriesFault;

/**
 * Reads the answer of `/api/v1/query` (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). An
 * answer that its source calls partial has warnings: `warnings` (Thanos, Mimir) or `isPartial` (VictoriaMetrics); `infos`
 * are none. Throws nothing.
 */
export function readPrometheusAnswer(answer: JsonValue): PrometheusAnswer {
  if (!isJsonObject(answer)) return { fault: 'answered no object' };
  if (answer.status !== 'success') return { fault: `answered status ${quote(answer.status)}${ownWords(answer)}` };
  const data = isJsonObject(answer.data) ? answer.data : {};
  const { resultType, result } = data;
  if (!Array.isArray(result)) return { fault: 'answered no result' };
  const warnings = warningsOf(answer);
  if (resultType === 'scalar') return { series: [{ labels: {}, ...readSample(result) }], warnings };
  if (resultType !== 'vector') {
    const hint = resultType === 'matrix' ? '; a range such as m[5m] needs a function around it' : '';
    return { fault: `answered a ${quote(resultType)}, expected an instant vector or a scalar${hint}` };
  }
  return { series: result.map(readSeries), warnings };
}

/** Prometheus' own message about a query that it refused, for status 400 and 422; undefined where there is none. */
export function prometheusError(body: JsonValue | undefined): string | undefined {
  return isJsonObject(body) && typeof body.error === 'string'
    ? `${quote(body.errorType ?? 'error')}: ${body.error}`
    : undefined;
}

function readSeries(series: JsonValue): Series {
  if (!isJsonObject(series)) return { labels: {}, fault: 'answered a series that is no object' };
  const given = isJsonObject(series.metric) ? Object.entries(series.metric) : [];
  const labels = Object.fromEntries(
    given.filter((label): label is [string, string] => label[0] !== '__name__' && typeof label[1] === 'string'),
  );
  if ('histogram' in series) {
    return { labels, fault: 'answered a native histogram; take a number from it, as histogram_quantile does' };
  }
  return { labels, ...readSample(series.value) };
}

function readSample(pair: JsonValue | undefined): { value: number } | SeriesFault {
  if (!Array.isArray(pair) || typeof pair[0] !== 'number' || typeof pair[1] !== 'string') {
    return { fault: 'answered a series without a sample [time, "value"]' };
  }
  const text = pair[1];
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (/^\s*nan\s*$/i.test(text))
    return { fault: 'answered NaN, as a division of 0 by 0 gives; no value can be taken from it' };
  if (/^\s*[+-]?inf/i.test(text))
    return { fault: `answered ${text}, as a division by 0 gives; no value can be taken from it` };
  if (!Number.isFinite(value)) return { fault: `answered ${quote(text)}, which is no number` };
  return { value };
}

function warningsOf(answer: JsonObject): string[] {
  const given = Array.isArray(answer.warnings)
    ? answer.warnings
    : answer.warnings === undefined || answer.warnings === null
      ? []
      : [answer.warnings];
  const warnings = given.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return answer.isPartial === true ? [...warnings, 'isPartial: true'] : warnings;
}

function ownWords(answer: JsonObject): string {
  const said = prometheusError(answer);
  return said === undefined ? '' : ` (${said})`;
}

const quote = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
