import type { Builtins } from './builtin';
import { itemsOf, objectAt, wrongType } from './operands';
import type { BuiltinBudget } from './plan-builtin';
import type { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import type { RegoValue } from '../values/value';

/** Graphs as objects: each node with an array or a set of its neighbours. */
export const graphBuiltins: Builtins = {
  'graph.reachable': (operands, { budget }) => {
    const graph = objectAt(operands, 0);
    const queue = [...startsAt(operands, 1)];
    const reached = new RegoSet();
    // OPA asks before it takes a node from the queue whether it was reached, so one may be in it many times
    for (let at = 0; at < queue.length; at++) {
      const neighbours = neighboursOf(graph, queue[at]!);
      if (!neighbours || reached.has(queue[at]!)) continue;
      for (const next of neighbours) if (!reached.has(next)) queue.push(next);
      budget.spend(neighbours.length + 1);
      reached.add(queue[at]!);
    }
    return reached;
  },
  'graph.reachable_paths': (operands, { budget }) => {
    const graph = objectAt(operands, 0);
    const paths = new RegoSet();
    for (const start of startsAt(operands, 1)) {
      const neighbours = neighboursOf(graph, start);
      if (!neighbours) continue;
      if (neighbours.length === 0) paths.add([start]);
      for (const next of neighbours) follow(graph, next, { nodes: [start], seen: new RegoSet([start]) }, paths, budget);
    }
    return paths;
  },
};

function startsAt(operands: readonly RegoValue[], index: number): readonly RegoValue[] {
  const starts = itemsOf(operands[index]!);
  if (!starts) throw wrongType(operands, index, '{array, set}');
  return starts;
}

function neighboursOf(graph: RegoObject, node: RegoValue): readonly RegoValue[] | undefined {
  const edges = graph.get(node);
  return edges === undefined ? undefined : (itemsOf(edges) ?? []);
}

interface Path {
  nodes: RegoValue[];
  seen: RegoSet;
}

/** A path ends at a node without neighbours, before one that is not in the graph, and before a node that it holds. */
function follow(graph: RegoObject, node: RegoValue, path: Path, paths: RegoSet, budget: BuiltinBudget): void {
  budget.elements(path.nodes.length + 1);
  const neighbours = neighboursOf(graph, node);
  if (!neighbours) {
    paths.add(path.nodes);
    return;
  }
  const longer = { nodes: [...path.nodes, node], seen: path.seen.copy().add(node) };
  if (neighbours.length === 0) paths.add(longer.nodes);
  for (const next of neighbours) {
    if (longer.seen.has(next)) paths.add(longer.nodes);
    else follow(graph, next, longer, paths, budget);
  }
}
