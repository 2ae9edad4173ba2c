import { faultsToError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { closeName } from '../../platform/documents/close-name';
import { faultAt, type DocumentPlace } from '../../platform/documents/validate';
import type { DomainState, StateReading } from '../../rules/domain';
import type { Candidate, Subject } from '../../rules/evaluation/evaluation-state';
import { NodeStatus, type ClusterNode, type ClusterState, type Shard } from './cluster-state';
import { readState } from './read-state';

/** The shards of which a state is read for migrations: each replica may move by itself. */
const BY_REPLICA = 'migrate_shard';

/**
 * A cluster as the rule engine sees it: nodes are the candidates, shards the subjects. A node that is draining or down is
 * never one. For migrations each replica of a shard is a subject, with the node that holds it as `source`.
 *
 * @throws GateError ConfigInvalid with every fault of the document, the time that a service needs and a shard that is not in
 *   it among them
 */
export function readDomainState(document: JsonValue, where: DocumentPlace, reading: StateReading): DomainState {
  const { nowMs, operation, needsTime = false, subject } = reading;
  const state = readState(document, where);
  if (needsTime && state.observedAtMs === undefined) {
    throw faultsToError([faultAt(where, '', 'expected the key observed_at, but it is missing')]);
  }
  const wanted = subject === undefined ? [...state.shards.values()] : [shardOf(state, subject, where)];
  const { observedAtMs = nowMs, version } = state;
  return {
    evaluation: {
      nowMs,
      metrics: { cluster: state.cluster },
      candidates: [...state.nodes.values()].sort(byId).map(toCandidate),
    },
    subjects: wanted
      .sort(byId)
      .flatMap((shard) => (operation === BY_REPLICA ? toReplicas(shard, state) : [toSubject(shard)])),
    observedAtMs,
    ...(version === undefined ? {} : { version }),
    own: state,
  };
}

function shardOf({ shards }: ClusterState, id: string, where: DocumentPlace): Shard {
  const shard = shards.get(id);
  if (shard !== undefined) return shard;
  const close = closeName(id, [...shards.keys()]);
  const hint = close === undefined ? '' : `; did you mean ${close}?`;
  throw faultsToError([faultAt(where, '/shards', `no shard is named ${id}${hint}`)]);
}

function toCandidate({ id, status, metrics }: ClusterNode): Candidate {
  return {
    id,
    metrics: { node: metrics },
    ...(status === NodeStatus.ready ? {} : { barred: `the node is ${status}` }),
  };
}

function toSubject({ id, labels, metrics }: Shard): Subject {
  return { id, labels, metrics: { shard: metrics } };
}

function toReplicas(shard: Shard, { nodes }: ClusterState): Subject[] {
  const subject = toSubject(shard);
  return [...shard.replicas].sort().map((source) => ({
    ...subject,
    names: { shard: shard.id, source },
    metrics: { ...subject.metrics, source: nodes.get(source)!.metrics satisfies JsonObject },
    barred: (node) => (shard.replicas.includes(node) ? `it holds a replica of ${shard.id} already` : undefined),
  }));
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1;
}
