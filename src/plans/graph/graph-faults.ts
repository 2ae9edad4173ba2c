import type { SchemaFault } from '../../platform/documents/validate';
import { closeName } from '../../platform/documents/close-name';
import type { Graph, PlanNode } from '../kinds/plan';
import { cyclesOf } from './components';
import { childrenOf, toPlanGraph, type PlanGraph } from './plan-graph';

/**
 * What a schema cannot say of a graph: ids that are there twice, edges, `dependsOn` and `children` that name no node, and
 * cycles, each once.
 *
 * @param pointer of the graph
 */
export function graphFaults(graph: Graph, pointer: string): SchemaFault[] {
  const { nodes, edges = [] } = graph;
  const ids = new Map<string, number>();
  const faults: SchemaFault[] = [];
  nodes.forEach(({ id }, index) => {
    const first = ids.get(id);
    if (first === undefined) ids.set(id, index);
    else {
      faults.push({
        pointer: `${pointer}/nodes/${index}/id`,
        sentence: `expected ids that are unique within the plan, but ${id} is that of nodes[${first}] too`,
      });
    }
  });
  const known = [...ids.keys()];
  const expectNode = (id: string, at: string): void => {
    if (ids.has(id)) return;
    const close = closeName(id, known);
    const hint = close === undefined ? '' : `; did you mean ${close}?`;
    faults.push({ pointer: `${pointer}/${at}`, sentence: `expected the id of a node of this plan, got ${id}${hint}` });
  };
  nodes.forEach(({ dependsOn = [], children = [] }, index) => {
    dependsOn.forEach((id, at) => expectNode(id, `nodes/${index}/dependsOn/${at}`));
    children.forEach((id, at) => expectNode(id, `nodes/${index}/children/${at}`));
  });
  edges.forEach(({ from, to }, index) => {
    expectNode(from, `edges/${index}/from`);
    expectNode(to, `edges/${index}/to`);
  });
  const planGraph = toPlanGraph(graph);
  for (const cycle of cyclesIn(planGraph, (id) => planGraph.after.get(id)!)) {
    const found = cycle.length === 1 ? `${cycle[0]} waits for itself` : `${wayRound(cycle)} wait for one another`;
    faults.push({ pointer, sentence: `expected a graph without cycles, but ${found}` });
  }
  return faults;
}

/**
 * Why a plan that is stored cannot be executed: a group is done when its children are, so a node that waits for a group that
 * waits for that node never starts. Groups are for the eye in PlanSpec, so such a plan is no fault by itself.
 */
export function deadlocks(graph: PlanGraph): string[] {
  const groupsOf = new Map<string, string[]>();
  for (const group of graph.nodes.keys()) {
    for (const child of childrenOf(graph, group)) groupsOf.set(child, [...(groupsOf.get(child) ?? []), group]);
  }
  // What leads into a group holds nothing up: it is done when its children are.
  const isGroup = (id: string): boolean => graph.nodes.get(id)!.kind === 'Group';
  const next = (id: string): string[] => [
    ...graph.after.get(id)!.filter((to) => !isGroup(to)),
    ...(groupsOf.get(id) ?? []),
  ];
  return cyclesIn(graph, next).map(
    (cycle) => `the nodes of ${wayRound(cycle)} can never start: a group is done when its children are`,
  );
}

function cyclesIn(
  { nodes }: { nodes: ReadonlyMap<string, PlanNode> },
  next: (id: string) => readonly string[],
): string[][] {
  const ids = [...nodes.keys()];
  const places = new Map(ids.map((id, index) => [id, index]));
  const targets = ids.map((id) => next(id).map((to) => places.get(to)!));
  return cyclesOf(ids.length, (node) => targets[node]!).map((cycle) => cycle.map((node) => ids[node]!));
}

function wayRound(cycle: readonly string[]): string {
  return [...cycle, cycle[0]].join(' → ');
}
