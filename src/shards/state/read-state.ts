import { Type, type Static } from '@sinclair/typebox';
import { faultsToError, type Fault } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import { strict } from '../../platform/documents/schema-types';
import { faultAt, validate, type DocumentPlace } from '../../platform/documents/validate';
import { NodeStatus, type ClusterNode, type ClusterState, type Shard } from './cluster-state';

const Id = Type.String({ minLength: 1, maxLength: 255 });
const Labels = Type.Optional(Type.Record(Type.String(), Type.String()));
const Share = Type.Optional(Type.Number({ minimum: 0 }));

const NodeSchema = Type.Object({
  id: Id,
  status: Type.Optional(Type.Union(Object.values(NodeStatus).map((status) => Type.Literal(status)))),
  region: Type.Optional(Type.String()),
  zone: Type.Optional(Type.String()),
  labels: Labels,
  capacity: Type.Optional(
    Type.Object({
      shards: Type.Optional(Type.Integer({ minimum: 0 })),
      bytes: Type.Optional(Type.Number({ minimum: 0 })),
    }),
  ),
  cost_per_hour: Share,
  cpu_usage: Share,
  memory_usage: Share,
  disk_usage: Share,
});

const ShardSchema = Type.Object({
  id: Id,
  labels: Labels,
  size_bytes: Share,
  qps: Share,
  replicas: Type.Optional(Type.Array(Id)),
});

/** Further fields of a node, a shard and the cluster are metrics; at the top they are not known. */
export const StateSchema = Type.Object(
  {
    observed_at: Type.Optional(Type.String({ description: 'an RFC 3339 time such as 2026-11-26T10:00:00Z' })),
    version: Type.Optional(Type.String()),
    nodes: Type.Array(NodeSchema),
    shards: Type.Optional(Type.Array(ShardSchema)),
    moves: Type.Optional(Type.Array(Type.Object({ shard: Id, from: Type.Optional(Id), to: Id }, strict))),
    cluster: Type.Optional(Type.Object({})),
  },
  strict,
);
type StateDocument = Static<typeof StateSchema>;

/**
 * The state of a cluster from its document. A node without `status` is ready.
 *
 * @throws GateError ConfigInvalid with every fault: of shape, ids given twice, replicas on nodes that do not exist, two
 *   replicas of a shard on one node
 */
export function readState(document: JsonValue, where: DocumentPlace): ClusterState {
  const read = validate(StateSchema, document, where);
  const faults = [...idFaults(read.nodes, '/nodes', where), ...idFaults(read.shards ?? [], '/shards', where)];
  const observedAtMs = parseTime(read.observed_at);
  if (read.observed_at !== undefined && observedAtMs === undefined) {
    const found = JSON.stringify(read.observed_at);
    faults.push(faultAt(where, '/observed_at', `expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got ${found}`));
  }
  const nodes = new Map(read.nodes.map((node) => [node.id, toNode(node)]));
  const shards = new Map((read.shards ?? []).map((shard) => [shard.id, toShard(shard)]));
  faults.push(...referenceFaults(read, nodes, shards, where));
  if (faults.length > 0) throw faultsToError(faults);
  return {
    ...(observedAtMs === undefined ? {} : { observedAtMs }),
    ...(read.version === undefined ? {} : { version: read.version }),
    nodes,
    shards,
    moves: read.moves ?? [],
    cluster: (read.cluster ?? {}) as JsonObject,
  };
}

function toNode(node: StateDocument['nodes'][number]): ClusterNode {
  const { status = NodeStatus.ready, labels = {}, capacity = {} } = node;
  return { ...node, status, labels, capacity, metrics: { ...(node as JsonObject), status } };
}

function toShard(shard: NonNullable<StateDocument['shards']>[number]): Shard {
  const { labels = {}, replicas = [] } = shard;
  return { ...shard, labels, replicas, metrics: { ...(shard as JsonObject), replicas: [...replicas] } };
}

function idFaults(items: readonly { id: string }[], at: string, where: DocumentPlace): Fault[] {
  const seen = new Set<string>();
  return items.flatMap(({ id }, index) => {
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [faultAt(where, `${at}/${index}/id`, `the id ${JSON.stringify(id)} is given twice`)];
  });
}

function referenceFaults(
  { shards = [], moves = [] }: StateDocument,
  nodes: ReadonlyMap<string, ClusterNode>,
  known: ReadonlyMap<string, Shard>,
  where: DocumentPlace,
): Fault[] {
  const faults: Fault[] = [];
  shards.forEach(({ id, replicas = [] }, index) => {
    replicas.forEach((node, at) => {
      const pointer = `/shards/${index}/replicas/${at}`;
      if (!nodes.has(node))
        faults.push(faultAt(where, pointer, `expected the id of a node, got ${JSON.stringify(node)}`));
      else if (replicas.indexOf(node) < at) {
        faults.push(faultAt(where, pointer, `the shard ${id} has two replicas on the node ${node}`));
      }
    });
  });
  moves.forEach(({ shard, from, to }, index) => {
    const pointer = `/moves/${index}`;
    if (!known.has(shard))
      faults.push(faultAt(where, `${pointer}/shard`, `expected the id of a shard, got ${JSON.stringify(shard)}`));
    for (const [key, node] of Object.entries({ from, to })) {
      if (node === undefined || nodes.has(node)) continue;
      faults.push(faultAt(where, `${pointer}/${key}`, `expected the id of a node, got ${JSON.stringify(node)}`));
    }
  });
  return faults;
}
