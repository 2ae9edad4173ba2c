import type { JsonObject } from '../../kernel/json';

export const NodeStatus = { ready: 'ready', draining: 'draining', down: 'down' } as const;
export type NodeStatus = (typeof NodeStatus)[keyof typeof NodeStatus];

/** A machine that holds replicas of shards. Percentages are 0 to 100. */
export interface ClusterNode {
  id: string;
  status: NodeStatus;
  region?: string;
  zone?: string;
  labels: Readonly<Record<string, string>>;
  /** replicas that it can hold at most; no limit where absent */
  capacity: { shards?: number; bytes?: number };
  cost_per_hour?: number;
  cpu_usage?: number;
  memory_usage?: number;
  disk_usage?: number;
  /** as the document has it, for conditions: any further field is a metric */
  metrics: JsonObject;
}

/** A part of the data, with the nodes that hold a replica of it. */
export interface Shard {
  id: string;
  labels: Readonly<Record<string, string>>;
  size_bytes?: number;
  /** queries a second that each of its replicas answers */
  qps?: number;
  /** ids of nodes, each once */
  replicas: readonly string[];
  /** as the document has it, for conditions */
  metrics: JsonObject;
}

/** A replica under way: its place at the destination is taken already. */
export interface MoveInFlight {
  shard: string;
  from?: string;
  to: string;
}

/** Nodes and shards at one moment. */
export interface ClusterState {
  /** epoch milliseconds; undefined where the document does not say */
  observedAtMs?: number;
  /** what the shard manager calls this state; a plan is only carried out on the state that it was made for */
  version?: string;
  /** by id */
  nodes: ReadonlyMap<string, ClusterNode>;
  /** by id */
  shards: ReadonlyMap<string, Shard>;
  moves: readonly MoveInFlight[];
  cluster: JsonObject;
}
