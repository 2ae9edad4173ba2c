import { Type, type Static } from '../../platform/documents/typebox';
import { collectingNow } from '../../kernel/collect-faults';
import { faultsToError, type Fault } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
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
  const faults: Fault[] = [];
  let read: StateDocument | undefined;
  collectingNow(faults, () => void (read = validate(StateSchema, document, where)));
  const ids = idsOf(document);
  faults.push(...idFaults(ids.nodes ?? [], '/nodes', where), ...idFaults(ids.shards, '/shards', where));
  const at = isJsonObject(document) ? document.observed_at : undefined;
  const observedAtMs = parseTime(at);
  if (typeof at === 'string' && observedAtMs === undefined) {
    const found = JSON.stringify(at);
    faults.push(faultAt(where, '/observed_at', `expected an RFC 3339 time such as 2026-11-26T10:00:00Z, got ${found}`));
  }
  faults.push(...referenceFaults(ids, where));
  if (read === undefined || faults.length > 0) throw faultsToError(faults);
  return {
    ...(observedAtMs === undefined ? {} : { observedAtMs }),
    ...(read.version === undefined ? {} : { version: read.version }),
    nodes: new Map(read.nodes.map((node) => [node.id, toNode(node)])),
    shards: new Map((read.shards ?? []).map((shard) => [shard.id, toShard(shard)])),
    moves: read.moves ?? [],
    cluster: (read.cluster ?? {}) as JsonObject,
  };
}

/** What a document names, as far as it has the shape: whatever else is wrong with it, these are checked too. */
interface NamedIds {
  /** undefined where there is no list of them: then no node can be said to be missing */
  nodes: readonly (string | undefined)[] | undefined;
  shards: readonly (string | undefined)[];
  /** of the shard at the same index */
  replicas: readonly (readonly (string | undefined)[])[];
  moves: readonly Record<'shard' | 'from' | 'to', string | undefined>[];
}

function idsOf(document: JsonValue): NamedIds {
  const listed = (value: JsonValue | undefined): JsonValue[] => (Array.isArray(value) ? value : []);
  const text = (value: JsonValue | undefined) => (typeof value === 'string' ? value : undefined);
  const field = (value: JsonValue, key: string) => (isJsonObject(value) ? value[key] : undefined);
  const nodes = field(document, 'nodes');
  const shards = listed(field(document, 'shards'));
  return {
    nodes: Array.isArray(nodes) ? nodes.map((node) => text(field(node, 'id'))) : undefined,
    shards: shards.map((shard) => text(field(shard, 'id'))),
    replicas: shards.map((shard) => listed(field(shard, 'replicas')).map(text)),
    moves: listed(field(document, 'moves')).map((move) => ({
      shard: text(field(move, 'shard')),
      from: text(field(move, 'from')),
      to: text(field(move, 'to')),
    })),
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

function idFaults(ids: readonly (string | undefined)[], at: string, where: DocumentPlace): Fault[] {
  const seen = new Set<string>();
  return ids.flatMap((id, index) => {
    if (id === undefined || !seen.has(id)) {
      if (id !== undefined) seen.add(id);
      return [];
    }
    return [faultAt(where, `${at}/${index}/id`, `the id ${JSON.stringify(id)} is given twice`)];
  });
}

function referenceFaults(ids: NamedIds, where: DocumentPlace): Fault[] {
  const known = { node: ids.nodes && new Set(ids.nodes), shard: new Set(ids.shards) };
  const unknown = (kind: 'node' | 'shard', pointer: string, id: string | undefined): Fault[] =>
    id === undefined || known[kind]?.has(id) !== false
      ? []
      : [faultAt(where, pointer, `expected the id of a ${kind}, got ${JSON.stringify(id)}`)];
  const ofReplicas = ids.replicas.flatMap((replicas, index) =>
    replicas.flatMap((node, at) => {
      const pointer = `/shards/${index}/replicas/${at}`;
      const isTwice = node !== undefined && known.node?.has(node) === true && replicas.indexOf(node) < at;
      if (!isTwice) return unknown('node', pointer, node);
      return [faultAt(where, pointer, `the shard ${ids.shards[index] ?? ''} has two replicas on the node ${node}`)];
    }),
  );
  const ofMoves = ids.moves.flatMap(({ shard, from, to }, index) => [
    ...unknown('shard', `/moves/${index}/shard`, shard),
    ...unknown('node', `/moves/${index}/from`, from),
    ...unknown('node', `/moves/${index}/to`, to),
  ]);
  return [...ofReplicas, ...ofMoves];
}
