import { childrenOf, type PlanGraph } from '../graph/plan-graph';

/**
 * The nodes that do something, each behind all that it waits for, whatever the edge; of several that could come next, the first
 * in the plan. A group orders nothing: who waits for it waits for its members.
 *
 * @param graph without cycles and deadlocks
 */
export function nodeOrder(graph: PlanGraph): string[] {
  const ids = [...graph.nodes.keys()].filter((id) => !isGroup(graph, id));
  const waiting = new Map<string, number>();
  const next = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const id of ids) {
    const sources = new Set([...graph.before.get(id)!.keys()].flatMap((from) => membersOf(graph, from)));
    waiting.set(id, sources.size);
    for (const from of sources) next.get(from)!.push(id);
  }
  const place = new Map(ids.map((id, index) => [id, index]));
  const ready = ids.filter((id) => waiting.get(id) === 0);
  const order: string[] = [];
  while (ready.length > 0) {
    const id = ready.shift()!;
    order.push(id);
    for (const to of next.get(id)!) {
      const left = waiting.get(to)! - 1;
      waiting.set(to, left);
      if (left > 0) continue;
      const at = ready.findIndex((other) => place.get(other)! > place.get(to)!);
      ready.splice(at === -1 ? ready.length : at, 0, to);
    }
  }
  return order;
}

/** The node itself, or the nodes in a group and in the groups in it, each once. */
export function membersOf(graph: PlanGraph, id: string): string[] {
  const members = new Set<string>();
  const seen = new Set<string>();
  const add = (each: string): void => {
    if (seen.has(each)) return;
    seen.add(each);
    if (isGroup(graph, each)) childrenOf(graph, each).forEach(add);
    else members.add(each);
  };
  add(id);
  return [...members];
}

/** All that a node waits for, in turn: what has ended when it begins. A group counts with all that is in it. */
export function allBefore(graph: PlanGraph, id: string): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (each: string): void => {
    if (found.has(each)) return;
    found.add(each);
    childrenOf(graph, each).forEach(add);
    if (!isGroup(graph, each)) addSources(each);
  };
  const addSources = (each: string): void => [...graph.before.get(each)!.keys()].forEach(add);
  addSources(id);
  return found;
}

function isGroup({ nodes }: PlanGraph, id: string): boolean {
  return nodes.get(id)?.kind === 'Group';
}
