import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject } from '../kernel/json';
import { standardError, standardOutput } from '../platform/observability/terminal';
import { readJsonBody } from './read-json-body';

/** How a metric answers: as it should, or in one of the ways in which a source fails. */
export type MetricBehaviour = 'answer' | 'hang' | 'wrongShape' | 'halfBody' | { status: number };

export interface Metric {
  value?: unknown;
  /** RFC 3339 or epoch milliseconds, given back as it is */
  timestamp?: unknown;
  /** the timestamp is this many milliseconds before each answer */
  ageMs?: number;
  behaviour?: MetricBehaviour;
}

/** What was asked of the stand-in since it started or was reset. */
export interface RequestCounts {
  /** requests by fact id */
  metrics: Record<string, number>;
  /** requests that the caller broke off, by fact id */
  aborted: Record<string, number>;
  /** every `PATCH /devices`, repeats included */
  patches: number;
  /** `PATCH /devices` by idempotency key; one without a key counts under `''` */
  byIdempotencyKey: Record<string, number>;
  /** devices targeted, each idempotency key once */
  targeted: number;
}

export interface LevelServer {
  url: string;
  /** @param factId a fact's id, or `<stage>/<fact id>` for one stage alone */
  setMetric(factId: string, metric: Metric): void;
  requests(): RequestCounts;
  close(): Promise<void>;
}

const METRIC_PATH = /^\/api\/deployments\/[^/]+\/stages\/([^/]+)\/metrics\/([^/]+)$/;
/** Its behaviour, set like a metric's, is that of `PATCH /devices`. */
const DEVICES = 'devices';
const MAX_BODY_BYTES = 1024 * 1024;

/** A stand-in for the device backend (gate rules, section 2) on loopback, whose values and failures are set from outside. */
export async function startLevelServer({ port = 0 }: { port?: number } = {}): Promise<LevelServer> {
  const metrics = new Map<string, Metric>();
  let counts = noRequests();

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const [, stage = '', metricId] = METRIC_PATH.exec(path) ?? [];
    const adminId = /^\/admin\/metrics\/([^/]+)$/.exec(path)?.[1];
    if (request.method === 'GET' && metricId !== undefined) {
      const factId = decodeURIComponent(metricId);
      count(counts.metrics, factId);
      response.on('close', () => {
        if (!response.writableFinished && request.destroyed) count(counts.aborted, factId);
      });
      return answerMetric(response, metrics.get(`${decodeURIComponent(stage)}/${factId}`) ?? metrics.get(factId));
    }
    if (request.method === 'PATCH' && path === '/devices') {
      const body = await readJsonBody(request, MAX_BODY_BYTES, {});
      if (body === undefined) return send(response, 400, { error: 'Expected JSON' });
      const key = request.headers['idempotency-key'];
      const seen = count(counts.byIdempotencyKey, typeof key === 'string' ? key : '');
      counts.patches++;
      if ((seen === 1 || key === undefined) && isJsonObject(body) && typeof body.target === 'number') {
        counts.targeted += body.target;
      }
      const behaviour = metrics.get(DEVICES)?.behaviour ?? 'answer';
      if (behaviour === 'hang') return;
      if (typeof behaviour === 'object') return send(response, behaviour.status, { error: 'as told' });
      return send(response, 202, { accepted: true });
    }
    if (request.method === 'PUT' && adminId !== undefined) {
      const body = await readJsonBody(request, MAX_BODY_BYTES);
      if (!isJsonObject(body)) return send(response, 400, { error: 'Expected a JSON object' });
      metrics.set(decodeURIComponent(adminId), body as Metric);
      return send(response, 200, {});
    }
    if (request.method === 'GET' && path === '/admin/requests') return send(response, 200, counts);
    if (request.method === 'DELETE' && path === '/admin/requests') {
      counts = noRequests();
      return send(response, 200, {});
    }
    return send(response, 404, { error: `No ${request.method} ${path} here` });
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => send(response, 400, { error: String(error) }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setMetric: (factId, metric) => void metrics.set(factId, metric),
    requests: () => structuredClone(counts),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answerMetric(response: ServerResponse, metric: Metric | undefined): void {
  const behaviour = metric?.behaviour ?? 'answer';
  if (metric === undefined) return send(response, 404, { error: 'No such metric' });
  if (behaviour === 'hang') return;
  if (behaviour === 'wrongShape') return send(response, 200, [metric.value]);
  const { value, ageMs, timestamp = ageMs === undefined ? undefined : Date.now() - ageMs } = metric;
  if (behaviour === 'halfBody') {
    const text = JSON.stringify({ value, timestamp });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    response.write(text.slice(0, text.length / 2), () => response.destroy());
    return;
  }
  if (behaviour !== 'answer') return send(response, behaviour.status, { error: 'as told' });
  send(response, 200, { value, timestamp });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function count(counts: Record<string, number>, key: string): number {
  return (counts[key] = (counts[key] ?? 0) + 1);
}

function noRequests(): RequestCounts {
  return { metrics: {}, aborted: {}, patches: 0, byIdempotencyKey: {}, targeted: 0 };
}

async function main(): Promise<void> {
  const server = await startLevelServer({ port: Number(process.argv[2] ?? 0) });
  standardOutput().write(`${JSON.stringify({ url: server.url, pid: process.pid })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
}

if (require.main === module) {
  main().catch((error: unknown) => {
    standardError().write(`LevelServer stand-in: ${String(error)}\n`);
    process.exitCode = 2;
  });
}
