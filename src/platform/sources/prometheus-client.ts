import { FailureType, type GateError } from '../../kernel/failures';
import { parseTimeOrEpoch } from '../../kernel/time';
import { prometheusError, readPrometheusAnswer, type Series } from './prometheus-answer';
import { promqlAges, sampleTimeQuery } from './promql-selectors';
import { sourceFailure, type Asked, type JsonAnswer, type JsonRequest } from './request-json';

/** The answer to one instant query. */
export interface InstantAnswer {
  series: readonly Series[];
  /** of a partial answer, where that is taken */
  warnings: readonly string[];
}

/** When present samples were observed. */
export interface SampleTime {
  labels: Readonly<Record<string, string>>;
  /** epoch milliseconds; a deliberate `offset` of the query is counted back */
  timeMs: number;
}

/** How the times of a query's samples are asked for. */
export interface TimeQuestion {
  /** what gives them in epoch seconds, where they cannot be worked out from the query */
  timestampQuery?: string | undefined;
  /** a label: the oldest for each of its values */
  by?: string;
}

/** Instant queries to a server that speaks Prometheus' HTTP API. */
export interface PrometheusClient {
  /**
   * Asks for the series of a query at a time.
   *
   * @throws GateError FactSourceUnavailable; FactInvalid for a query that is refused, and for an answer that is partial or of
   *   another shape. A series without a number is no error
   */
  instant(query: string, atMs: number, signal: AbortSignal): Promise<InstantAnswer>;
  /**
   * When the samples behind a query were observed: of each selector the oldest present ones, asked for side by side. The time in
   * an answer is that of the evaluation, and a sample is answered for up to five minutes after its exporter died; `rate`
   * answers longer still.
   *
   * @param query one whose `promqlAges` are clear, unless a `timestampQuery` is given
   * @returns a list for each selector; empty for a query without one, whose age is none
   * @throws GateError as `instant`; FactStale for a selector without a present sample
   */
  sampleTimes(query: string, atMs: number, signal: AbortSignal, question: TimeQuestion): Promise<SampleTime[][]>;
}

export interface PrometheusClientOptions {
  asked: Asked;
  /** checked by `checkBaseUrl` */
  base: string;
  /** GETs JSON with the credentials that the source needs */
  request(url: string, signal: AbortSignal, explain: JsonRequest['explain']): Promise<JsonAnswer>;
  /** what to do about a partial answer, for its error; absent, a partial answer is taken */
  partialAdvice?: string;
}

export function createPrometheusClient({ asked, base, ...options }: PrometheusClientOptions): PrometheusClient {
  const invalid = (what: string): GateError => sourceFailure(FailureType.FactInvalid, { ...asked, url: base }, what);

  async function instant(query: string, atMs: number, signal: AbortSignal): Promise<InstantAnswer> {
    const explain: JsonRequest['explain'] = (status, body) => {
      if (status !== 400 && status !== 422) return undefined;
      return `refused the query (${status}): ${prometheusError(body) ?? 'it gave no reason'}; asked was ${query}`;
    };
    const url = `${base}/api/v1/query?query=${encodeURIComponent(query)}&time=${(atMs / 1000).toFixed(3)}`;
    const { body } = await options.request(url, signal, explain);
    const answer = readPrometheusAnswer(body);
    if ('fault' in answer) throw invalid(`${answer.fault}; asked was ${query}`);
    if (answer.warnings.length > 0 && options.partialAdvice !== undefined) {
      const words = answer.warnings.join('; ');
      throw invalid(`gave a partial answer (${words})${options.partialAdvice}; asked was ${query}`);
    }
    return answer;
  }

  function toTime({ labels, ...sample }: Series, query: string): SampleTime {
    if ('fault' in sample) throw invalid(`${sample.fault}; asked was ${query}`);
    const timeMs = parseTimeOrEpoch(Math.round(sample.value * 1000));
    // a time beyond the year 5000 is one in milliseconds
    if (timeMs !== undefined && timeMs < 1e14) return { labels, timeMs };
    const hint = sample.value >= 1e11 ? '; it looks like milliseconds' : '';
    throw invalid(`answered ${sample.value} as a time, expected epoch seconds${hint}`);
  }

  async function timesOf(query: string, atMs: number, signal: AbortSignal): Promise<SampleTime[]> {
    const { series } = await instant(query, atMs, signal);
    return series.map((one) => toTime(one, query));
  }

  return {
    instant,
    async sampleTimes(query, atMs, signal, { timestampQuery, by }) {
      if (timestampQuery !== undefined) return [await timesOf(timestampQuery, atMs, signal)];
      return Promise.all(
        promqlAges(query).selectors.map(async (selector) => {
          const times = await timesOf(sampleTimeQuery(selector, by), atMs, signal);
          if (times.length === 0) {
            const what = `has no present sample of ${selector.text}`;
            throw sourceFailure(FailureType.FactStale, { ...asked, url: base }, what);
          }
          return times.map(({ labels, timeMs }) => ({ labels, timeMs: timeMs + selector.offsetMs }));
        }),
      );
    },
  };
}
