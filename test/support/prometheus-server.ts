import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Series {
  name: string;
  labels?: Record<string, string>;
  value: string;
  /** of its newest sample */
  timeMs: number;
}

export interface PrometheusServer {
  base: string;
  series: Series[];
  /** of the evaluation; the system clock's by default */
  now: () => number;
  /** the queries asked, and the time that each was asked at, in seconds */
  queries: string[];
  times: string[];
  /** replaces the answer to a query */
  answers: Map<string, unknown>;
  /** the status of such an answer @default 200 */
  status: number;
  /** queries that are never answered */
  hung: Set<string>;
  /** awaited before a query is answered */
  before: (query: string) => Promise<void>;
  /** queries whose asker went away */
  aborted: string[];
  close(): Promise<void>;
}

const LOOKBACK_MS = 5 * 60_000;

/**
 * The instant queries of Prometheus' HTTP API as far as the tests need them: selectors by name and equal labels, seen
 * for five minutes after their sample, with an offset in milliseconds; `timestamp(selector)`, which drops the name; `sum(…)` and `min(…)` of these,
 * which drop all labels but that of ` by (label) `. Every result carries the time of the evaluation, as in Prometheus.
 */
export async function startPrometheus(): Promise<PrometheusServer> {
  const state: Omit<PrometheusServer, 'base' | 'close'> = {
    series: [],
    now: () => Date.now(),
    queries: [],
    times: [],
    answers: new Map(),
    status: 200,
    hung: new Set(),
    before: () => Promise.resolve(),
    aborted: [],
  };

  function evaluate(query: string): { metric: Record<string, string>; number: string }[] | undefined {
    const call = /^(sum|min|timestamp)(?: by \((\w+)\) )?\((.*)\)$/.exec(query);
    const [by, inner] = [call?.[2], call?.[3]];
    if (call?.[1] === 'timestamp' && inner !== undefined) {
      return select(inner)?.map(({ labels, timeMs }) => ({ metric: { ...labels }, number: String(timeMs / 1000) }));
    }
    if (inner !== undefined) {
      const found = evaluate(inner);
      if (found === undefined) return undefined;
      const groups = new Map<string, number[]>();
      for (const { metric, number } of found) {
        const key = (by === undefined ? undefined : metric[by]) ?? '';
        groups.set(key, [...(groups.get(key) ?? []), Number(number)]);
      }
      return [...groups].map(([key, numbers]) => ({
        metric: key === '' || by === undefined ? {} : { [by]: key },
        number: String(call?.[1] === 'min' ? Math.min(...numbers) : numbers.reduce((a, b) => a + b, 0)),
      }));
    }
    return select(query)?.map(({ name, labels, value }) => ({ metric: { __name__: name, ...labels }, number: value }));
  }

  function select(selector: string): Series[] | undefined {
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?(?: offset (-?\d+)ms)?$/.exec(selector);
    if (parts === null) return undefined;
    const matchers = [...(parts[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)];
    const nowMs = state.now() - Number(parts[3] ?? 0);
    return state.series.filter(
      ({ name, labels, timeMs }) =>
        name === parts[1] &&
        timeMs <= nowMs &&
        timeMs > nowMs - LOOKBACK_MS &&
        matchers.every(([, label, value]) => labels?.[label ?? ''] === value),
    );
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const query = url.searchParams.get('query') ?? '';
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (url.pathname !== '/api/v1/query') return send(404, {});
    state.queries.push(query);
    state.times.push(url.searchParams.get('time') ?? '');
    response.on('close', () => {
      if (!response.writableFinished) state.aborted.push(query);
    });
    if (state.hung.has(query)) return;
    void state.before(query).then(() => answer(query, send));
  });

  function answer(query: string, send: (status: number, body: unknown) => void): void {
    if (state.answers.has(query)) return send(state.status, state.answers.get(query));
    const found = evaluate(query);
    if (found === undefined) return send(400, { status: 'error', errorType: 'bad_data', error: 'parse error' });
    const at = state.now() / 1000;
    const result = found.map(({ metric, number }) => ({ metric, value: [at, number] }));
    send(200, { status: 'success', data: { resultType: 'vector', result } });
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
