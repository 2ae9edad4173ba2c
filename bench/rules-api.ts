import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { JsonObject } from '../src/kernel/json';
import { Health } from '../src/proto/grpc/health/v1/health_pb';
import { PolicyService } from '../src/proto/planning_engine/rules/v1/policy_service_pb';
import { startServer } from '../src/server';
import { parseSettings } from '../src/settings/load-settings';
import { latencyOf, median, type BenchRow, type Latency } from './bench-row';

const CLIENTS = 16;
const POLICIES = 50;
const NODES = 10;
const SHARDS = 20;
const CALLS = 480;
const ROUNDS = 3;
const WARM_UP = 64;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

type Ask = () => Promise<unknown>;

/** EvaluatePolicy of a server over gRPC and over HTTP with JSON, with the health check over the same protocol for comparison. */
export async function benchRulesApi(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-rules-api-'));
  const document = {
    audit: { store: { folder: join(folder, 'store') }, stdout: false },
    server: { port: 0, quotas: { requestsPerSecond: 1_000_000 } },
    // Nothing listens there, and evaluations ask nothing of it.
    temporal: { address: '127.0.0.1:1' },
  };
  const loaded = { settings: parseSettings(document as never, { file: 'bench' }, folder), baseDir: folder };
  const server = await startServer(loaded, { worker: false, env: {}, logger: silent as never });
  const agents = Array.from({ length: CLIENTS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  try {
    const grpc = agents.map(() => createGrpcTransport({ baseUrl: server.url }));
    const json = agents.map((agent) =>
      createConnectTransport({
        baseUrl: server.url,
        httpVersion: '1.1',
        useBinaryFormat: false,
        nodeOptions: { agent },
      }),
    );
    await storePolicies(grpc[0]!);
    return [...(await rowsOf('gRPC', grpc)), ...(await rowsOf('HTTP and JSON', json))];
  } finally {
    for (const agent of agents) agent.destroy();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function storePolicies(transport: Transport): Promise<void> {
  const client = createClient(PolicyService, transport);
  for (let at = 0; at < POLICIES; at += 1) {
    await client.createPolicy({ definition: policyOf(at), reason: 'to be measured' });
  }
}

function policyOf(at: number): JsonObject {
  return {
    name: `policy-${at}`,
    type: 'placement',
    priority: at,
    conditions: {
      all: [
        { metric: 'node.region', operator: 'eq', value: `r${at % 3}` },
        { metric: 'shard.labels.tier', operator: 'eq', value: `t${at % 5}` },
        { metric: 'node.cpu_usage', operator: 'lt', value: (at * 37) % 100 },
      ],
    },
    actions: { placement: { strategy: 'least_loaded' } },
  };
}

function stateNow(): JsonObject {
  return {
    observed_at: new Date().toISOString(),
    nodes: Array.from({ length: NODES }, (_, at) => ({ id: `n${at}`, region: `r${at % 3}`, cpu_usage: at * 9 })),
    shards: Array.from({ length: SHARDS }, (_, at) => ({
      ...{ id: `s${at}`, qps: at, size_bytes: 1, replicas: [] },
      labels: { tier: `t${at % 5}` },
    })),
  };
}

async function rowsOf(protocol: string, transports: readonly Transport[]): Promise<BenchRow[]> {
  const evaluate = transports.map((transport): Ask => {
    const client = createClient(PolicyService, transport);
    return () => client.evaluatePolicy({ operation: 'place_shard', subject: 's7', state: stateNow() });
  });
  const check = transports.map((transport): Ask => {
    const client = createClient(Health, transport);
    return () => client.check({});
  });
  await latencyOf(evaluate, WARM_UP);
  await latencyOf(check, WARM_UP);
  const found: { ours: Latency[]; base: Latency[] } = { ours: [], base: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    found.ours.push(await latencyOf(evaluate, CALLS));
    found.base.push(await latencyOf(check, CALLS));
  }
  return (['p50', 'p99'] as const).map((at) => {
    const [ours, base] = [median(found.ours.map((one) => one[at])), median(found.base.map((one) => one[at]))];
    const name = `EvaluatePolicy of ${POLICIES} policies over ${protocol}, ${CLIENTS} clients, ${at}`;
    const baseline = 'health check over the same';
    return { name, baseline, ours, base, ratio: ours / base, target: 'stated', met: true, unit: 'ms' };
  });
}
