import type { Graph, PlanNode } from '../kinds/plan';

/** Whether a node waits for its source's success, or only for its end. */
export type Dependency = 'hard' | 'soft';

/** A plan's graph, ready to walk: `dependsOn` is among the edges, and each pair of nodes has one edge. */
export interface PlanGraph {
  /** by id, in the order of the plan */
  nodes: ReadonlyMap<string, PlanNode>;
  /** by the id of the node that waits: what it waits for */
  before: ReadonlyMap<string, ReadonlyMap<string, Dependency>>;
  /** by the id of a node: those that wait for it */
  after: ReadonlyMap<string, readonly string[]>;
}

/**
 * The graph of a plan whose faults were found before: an edge or a child that names no node is left out. An explicit edge
 * counts before `dependsOn`, which is always hard; where a pair has a hard and a soft edge, the hard one counts.
 */
export function toPlanGraph({ nodes, edges = [] }: Graph): PlanGraph {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const before = new Map(nodes.map(({ id }) => [id, new Map<string, Dependency>()]));
  for (const { from, to, type = 'hard' } of edges) {
    const sources = before.get(to);
    if (sources === undefined || !byId.has(from)) continue;
    if (type === 'hard' || !sources.has(from)) sources.set(from, type);
  }
  for (const { id, dependsOn = [] } of nodes) {
    const sources = before.get(id)!;
    for (const from of dependsOn) if (byId.has(from) && !sources.has(from)) sources.set(from, 'hard');
  }
  const after = new Map(nodes.map(({ id }) => [id, [] as string[]]));
  for (const [to, sources] of before) for (const from of sources.keys()) after.get(from)!.push(to);
  return { nodes: byId, before, after };
}

/** The children of a group that are nodes; none for other kinds. */
export function childrenOf({ nodes }: PlanGraph, id: string): readonly string[] {
  const node = nodes.get(id);
  return node?.kind === 'Group' ? (node.children ?? []).filter((child) => nodes.has(child)) : [];
}
