import { FailureType, GateError } from '../../kernel/failures';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';

/** Nodes that a simulation takes away and adds. */
export interface NodeChanges {
  /** ids */
  without?: readonly string[];
  /** fields of new nodes, `count` of each: `{ region: 'eu', count: 3 }` */
  add?: readonly JsonObject[];
}

/**
 * A state's document with other nodes. A node that is taken away takes its replicas along, and the moves in flight from and to it.
 * New nodes are ready and empty, and are named `added-1` and so on.
 *
 * @throws GateError ConfigInvalid for a node that is not there, and for a count that is none
 */
export function withNodes(document: JsonObject, { without = [], add = [] }: NodeChanges): JsonObject {
  const nodes = listOf(document.nodes);
  const ids = nodes.map(({ id }) => id);
  for (const id of without) {
    if (!ids.includes(id)) throw invalid(`expected the id of a node to leave out, got ${id}: there is none`);
  }
  const isGone = (id: JsonValue | undefined) => without.includes(id as string);
  const added: JsonObject[] = [];
  for (const { count = 1, ...fields } of add) {
    if (!Number.isInteger(count) || (count as number) < 1 || (count as number) > 10_000) {
      throw invalid(
        `expected the count of nodes to add to be a whole number from 1 to 10000, got ${JSON.stringify(count)}`,
      );
    }
    for (let at = 0; at < (count as number); at += 1) added.push({ id: `added-${added.length + 1}`, ...fields });
  }
  return {
    ...document,
    nodes: [...nodes.filter(({ id }) => !isGone(id)), ...added],
    shards: listOf(document.shards).map((shard) => {
      if (!Array.isArray(shard.replicas)) return shard;
      return { ...shard, replicas: shard.replicas.filter((id) => !isGone(id)) };
    }),
    moves: listOf(document.moves).filter(({ from, to }) => !isGone(from) && !isGone(to)),
  };
}

/** The objects of a list; a document of another shape is refused where it is read as a state. */
function listOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function invalid(message: string): GateError {
  return new GateError(FailureType.ConfigInvalid, message);
}
