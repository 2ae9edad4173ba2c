import { faultsToError } from '../../kernel/failures';
import type { JsonObject, JsonValue } from '../../kernel/json';
import { closeName } from '../../platform/documents/close-name';
import { faultAt, type DocumentPlace } from '../../platform/documents/validate';
import type { DomainState, StateReading } from '../../rules/domain';
import type { Candidate, Subject } from '../../rules/evaluation/evaluation-state';
import { MEASURES } from '../actions/parts';
import { Arrangement } from '../model/arrangement';
import { barriers, statusBarriers } from '../placement/barriers';
import { toPlacementRules } from '../placement/rules';
import type { ClusterNode, ClusterState, Shard } from '../state/cluster-state';
import { readState } from '../state/read-state';
import type { OwnState } from './own-state';

/**
 * The state of a cluster for the rule engine. Beside the document's own fields there are, where it has none of these names:
 * `node.shards`, `node.qps` and `node.bytes` (sums over its replicas), `shard.replica_count`, and of the cluster `nodes`,
 * `nodes_ready`, `shards` and `moves_in_flight`.
 *
 * @throws GateError ConfigInvalid with every fault of the document, for a shard that it does not have, and for one that does not
 *   say when it was observed where that is needed
 */
export function toDomainState(document: JsonValue, where: DocumentPlace, reading: StateReading): DomainState {
  const state = readState(document, where);
  const { nowMs, operation, subject, needsTime = false } = reading;
  if (needsTime && state.observedAtMs === undefined) {
    const sentence =
      'expected the time at which the state was observed, such as 2026-11-26T10:00:00Z, but it is missing';
    throw faultsToError([faultAt(where, '/observed_at', sentence)]);
  }
  if (subject !== undefined && !state.shards.has(subject)) {
    const close = closeName(subject, [...state.shards.keys()]);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    throw faultsToError([faultAt(where, '/shards', `no shard is named ${subject}${hint}`)]);
  }
  const arrangement = new Arrangement(state);
  const shards = subject === undefined ? arrangement.allShards() : [state.shards.get(subject)!];
  const own: OwnState = { state, arrangement, ...(subject === undefined ? {} : { shard: subject }) };
  return {
    evaluation: {
      nowMs,
      metrics: { cluster: clusterMetrics(state) },
      candidates: arrangement.nodes.map((node) => toCandidate(node, arrangement)),
    },
    subjects: shards.flatMap((shard) => toSubjects(shard, arrangement, operation)),
    observedAtMs: state.observedAtMs ?? nowMs,
    ...(state.version === undefined ? {} : { version: state.version }),
    own,
  };
}

function toCandidate(node: ClusterNode, arrangement: Arrangement): Candidate {
  const [barred] = statusBarriers(node);
  return {
    id: node.id,
    metrics: { node: nodeMetrics(node, arrangement) },
    ...(barred === undefined ? {} : { barred }),
  };
}

function nodeMetrics(node: ClusterNode, arrangement: Arrangement): JsonObject {
  const qps = arrangement.loadOf(node.id)[MEASURES.indexOf('qps')]!;
  return { shards: arrangement.countOn(node.id), qps, bytes: arrangement.bytesOn(node.id), ...node.metrics };
}

function toSubjects(shard: Shard, arrangement: Arrangement, operation: string | undefined): Subject[] {
  const metrics = { shard: { replica_count: shard.replicas.length, ...shard.metrics } };
  const subject = { id: shard.id, labels: shard.labels, metrics };
  const rules = toPlacementRules({});
  if (operation === 'migrate_shard') {
    const places = arrangement.placesOf(shard.id).filter(({ phase }) => phase === 'here');
    const sources = places.map(({ node }) => node).sort();
    return sources.map((source) => ({
      ...subject,
      names: { shard: shard.id, source },
      metrics: { ...metrics, source: nodeMetrics(arrangement.node(source), arrangement) },
      barred: (id) => barriers(arrangement.node(id), { shard, leaving: source }, arrangement, rules)[0],
    }));
  }
  if (operation !== 'place_shard' && operation !== 'replicate_shard') return [subject];
  return [{ ...subject, barred: (id) => barriers(arrangement.node(id), { shard }, arrangement, rules)[0] }];
}

function clusterMetrics({ nodes, shards, moves, cluster }: ClusterState): JsonObject {
  const ready = [...nodes.values()].filter(({ status }) => status === 'ready').length;
  return { nodes: nodes.size, nodes_ready: ready, shards: shards.size, moves_in_flight: moves.length, ...cluster };
}
