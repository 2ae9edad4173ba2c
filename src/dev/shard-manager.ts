import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type JsonObject } from '../kernel/json';
import { standardError, standardOutput } from '../platform/observability/terminal';
import { readJsonBody } from './read-json-body';
import { refusal, ShardCluster, type Answer, type ClusterDocument, type ShardClusterOptions } from './shard-cluster';

/**
 * How a call fails: without an answer (`hang`), cut off after it was carried out (`lost`), or with a status before it was
 * carried out.
 */
export type ManagerFaultKind = 'hang' | 'lost' | { status: number };

/** A fault on demand. */
export interface ManagerFault {
  /** of the calls that it is for; @default any */
  method?: string;
  /** a part of the path; @default any path below `/v1` */
  path?: string;
  /** so many calls fail; @default all until the faults are cleared */
  times?: number;
  fault: ManagerFaultKind;
}

/** What was asked of the stand-in. */
export interface ManagerRequests {
  /** calls that change something, by idempotency key, repeats and failed ones included */
  byKey: Record<string, number>;
  /** all calls below `/v1`, in order, as `METHOD path` */
  calls: string[];
}

export interface ShardManagerServer {
  url: string;
  cluster: ShardCluster;
  /** the state document as it is now */
  state(): JsonObject;
  fail(fault: ManagerFault): void;
  /** no call fails any more */
  heal(): void;
  requests(): ManagerRequests;
  close(): Promise<void>;
}

export interface ShardManagerServerOptions extends ShardClusterOptions {
  /** @default a free one */
  port?: number;
  cluster?: ClusterDocument;
  /** required of each call below `/v1` */
  bearerToken?: string;
  /** told after each call that changed something, before it is answered */
  onChange?(key: string): void;
}

/** Four nodes in two regions, and six shards of which the last has no replica yet. */
export const DEFAULT_CLUSTER: ClusterDocument = {
  nodes: [
    { id: 'n1', region: 'us-west', zone: 'a', cpu_usage: 40, memory_usage: 50, disk_usage: 20, cost_per_hour: 0.4 },
    { id: 'n2', region: 'us-west', zone: 'b', cpu_usage: 70, memory_usage: 60, disk_usage: 40, cost_per_hour: 0.4 },
    { id: 'n3', region: 'eu', zone: 'a', cpu_usage: 20, memory_usage: 30, disk_usage: 10, cost_per_hour: 0.5 },
    { id: 'n4', region: 'eu', zone: 'b', cpu_usage: 90, memory_usage: 85, disk_usage: 70, cost_per_hour: 0.5 },
  ].map((node) => ({ ...node, status: 'ready', capacity: { shards: 10 } })),
  shards: [
    { id: 's1', size_bytes: 4_000_000, qps: 20, replicas: ['n1'] },
    { id: 's2', size_bytes: 2_000_000, qps: 80, replicas: ['n2'] },
    { id: 's3', size_bytes: 8_000_000, qps: 10, replicas: ['n3'] },
    { id: 's4', size_bytes: 1_000_000, qps: 90, replicas: ['n4'] },
    { id: 's5', size_bytes: 1_000_000, qps: 60, replicas: ['n4'] },
    { id: 's6', size_bytes: 2_000_000, qps: 30, replicas: [], labels: { tier: 'gold' } },
  ],
  cluster: { nodes_ready: 4 },
};

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const REPLICA = /^\/v1\/shards\/([^/]+)\/replicas\/([^/]+)$/;
const MOVES = /^\/v1\/shards\/([^/]+)\/moves$/;
const OPERATION = /^\/v1\/operations\/([^/]+)$/;

/** A stand-in for a shard manager (docs/shard-manager.openapi.yaml) on loopback, whose failures are set from outside. */
export async function startShardManager(options: ShardManagerServerOptions = {}): Promise<ShardManagerServer> {
  const { port = 0, bearerToken } = options;
  const newCluster = (document: ClusterDocument): ShardCluster => new ShardCluster(structuredClone(document), options);
  let cluster = newCluster(options.cluster ?? DEFAULT_CLUSTER);
  let faults: ManagerFault[] = [];
  let requests: ManagerRequests = { byKey: {}, calls: [] };

  /** The fault that this call meets; one that has been met often enough is gone. */
  function faultOf(method: string, path: string): ManagerFaultKind | undefined {
    const fault = faults.find(
      (one) => (one.method === undefined || one.method === method) && path.includes(one.path ?? ''),
    );
    if (fault === undefined) return undefined;
    if (fault.times !== undefined) {
      fault.times -= 1;
      if (fault.times <= 0) faults = faults.filter((one) => one !== fault);
    }
    return fault.fault;
  }

  function call(method: string, url: URL, request: IncomingMessage, body: JsonObject): Answer {
    const path = url.pathname;
    if (method === 'GET' && path === '/v1/state') return { status: 200, body: cluster.state() };
    const [, operation] = OPERATION.exec(path) ?? [];
    if (operation !== undefined && method === 'GET') return cluster.operation(decodeURIComponent(operation));
    if (operation !== undefined && method === 'DELETE') return cluster.cancel(decodeURIComponent(operation));
    const key = request.headers['idempotency-key'];
    const [, shard = '', node = ''] = (REPLICA.exec(path) ?? MOVES.exec(path) ?? []).map(decodeURIComponent);
    if (shard === '') return refusal(404, 'not_found', `there is no ${method} ${path}`);
    if (typeof key !== 'string' || key === '') return refusal(400, 'no_key', 'expected the header Idempotency-Key');
    const ifMatch = request.headers['if-match']?.replace(/^"(.*)"$/, '$1');
    const change = { key, request: `${method} ${path} ${JSON.stringify(body)}`, ifMatch };
    if (method === 'PUT' && node !== '') return cluster.place(shard, node, change);
    if (method === 'DELETE' && node !== '') {
      return cluster.remove(shard, node, url.searchParams.get('force') === 'true', change);
    }
    if (method === 'POST' && node === '') return cluster.startMove(shard, body, change);
    return refusal(405, 'bad_method', `there is no ${method} ${path}`);
  }

  function admin(method: string, path: string, body: JsonObject): Answer {
    const ok = (answer: JsonObject = {}): Answer => ({ status: 200, body: answer });
    const node = /^\/admin\/nodes\/([^/]+)$/.exec(path)?.[1];
    if (method === 'POST' && path === '/admin/faults') {
      faults.push(body as unknown as ManagerFault);
      return ok();
    }
    if (method === 'DELETE' && path === '/admin/faults') {
      faults = [];
      return ok();
    }
    if (method === 'GET' && path === '/admin/requests') return ok(structuredClone(requests) as unknown as JsonObject);
    if (method === 'PUT' && path === '/admin/cluster' && Array.isArray(body.nodes)) {
      cluster = newCluster(body as unknown as ClusterDocument);
      return ok();
    }
    if (method === 'PATCH' && node !== undefined) return cluster.changeNode(decodeURIComponent(node), body);
    return refusal(404, 'not_found', `there is no ${method} ${path}`);
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const body = await readJson(request);
    if (body === undefined) return send(response, refusal(400, 'bad_request', 'expected a body of JSON, an object'));
    if (url.pathname.startsWith('/admin/')) return send(response, admin(method, url.pathname, body));
    requests.calls.push(`${method} ${url.pathname}`);
    const key = request.headers['idempotency-key'];
    if (typeof key === 'string') requests.byKey[key] = (requests.byKey[key] ?? 0) + 1;
    if (bearerToken !== undefined && request.headers.authorization !== `Bearer ${bearerToken}`) {
      return send(response, refusal(401, 'unauthorized', 'expected a token'));
    }
    const fault = faultOf(method, url.pathname);
    if (fault === 'hang') return;
    if (typeof fault === 'object') return send(response, refusal(fault.status, 'as_told', 'told to fail'));
    const before = cluster.version;
    const answer = call(method, url, request, body);
    if (typeof key === 'string' && cluster.version !== before) options.onChange?.(key);
    if (fault === 'lost') response.destroy();
    else send(response, answer, cluster.version);
  }

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      if (!response.headersSent) send(response, refusal(400, 'bad_request', String(error)));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cluster() {
      return cluster;
    },
    state: () => cluster.state(),
    fail: (fault) => void faults.push({ ...fault }),
    heal: () => void (faults = []),
    requests: () => structuredClone(requests),
    close: () =>
      new Promise((resolve) => {
        requests = { byKey: {}, calls: [] };
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An empty body is an empty object; undefined where it is something else. */
async function readJson(request: IncomingMessage): Promise<JsonObject | undefined> {
  const body = await readJsonBody(request, MAX_BODY_BYTES, {});
  return isJsonObject(body) ? body : undefined;
}

function send(response: ServerResponse, { status, body }: Answer, version?: string): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(version === undefined ? {} : { etag: `"${version}"` }),
  });
  response.end(JSON.stringify(body));
}

async function main(): Promise<void> {
  const server = await startShardManager({ port: Number(process.argv[2] ?? 0) });
  standardOutput().write(`${JSON.stringify({ url: server.url, pid: process.pid })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close());
}

if (require.main === module) {
  main().catch((error: unknown) => {
    standardError().write(`Shard manager stand-in: ${String(error)}\n`);
    process.exitCode = 2;
  });
}
