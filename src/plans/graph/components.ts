/**
 * The strongly connected components of a directed graph (Tarjan 1972), those first that others lead to. With a stack of its
 * own: a chain may be longer than the thread's.
 *
 * @param count of nodes, which are numbered from 0
 * @param next the nodes that one leads to; asked once for each
 */
export function componentsOf(count: number, next: (node: number) => readonly number[]): number[][] {
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  const components: number[][] = [];
  let seen = 0;
  const enter = (node: number): { node: number; targets: readonly number[]; at: number } => {
    order[node] = low[node] = seen;
    seen += 1;
    stack.push(node);
    onStack[node] = 1;
    return { node, targets: next(node), at: 0 };
  };
  for (let start = 0; start < count; start += 1) {
    if (order[start] !== -1) continue;
    const path = [enter(start)];
    while (path.length > 0) {
      const top = path.at(-1)!;
      const target = top.targets[top.at];
      top.at += 1;
      if (target !== undefined) {
        if (order[target] === -1) path.push(enter(target));
        else if (onStack[target] === 1) low[top.node] = Math.min(low[top.node]!, order[target]!);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent.node] = Math.min(low[parent.node]!, low[top.node]!);
      if (low[top.node] !== order[top.node]) continue;
      const component: number[] = [];
      for (let member = stack.pop()!; ; member = stack.pop()!) {
        onStack[member] = 0;
        component.push(member);
        if (member === top.node) break;
      }
      components.push(component);
    }
  }
  return components;
}

/** One way round in each component that has one, as its nodes in order; a node that leads to itself is a cycle of one. */
export function cyclesOf(count: number, next: (node: number) => readonly number[]): number[][] {
  return componentsOf(count, next).flatMap((component) => {
    const first = Math.min(...component);
    if (component.length === 1) return next(first).includes(first) ? [[first]] : [];
    return [shortestWayRound(first, new Set(component), next)];
  });
}

/** Breadth first from `start` back to it, within its component. */
function shortestWayRound(
  start: number,
  within: ReadonlySet<number>,
  next: (node: number) => readonly number[],
): number[] {
  const from = new Map<number, number>();
  const queue = [start];
  for (const node of queue) {
    for (const target of next(node)) {
      if (target === start) {
        const way = [node];
        for (let at = node; at !== start;) {
          at = from.get(at)!;
          way.unshift(at);
        }
        return way;
      }
      if (!within.has(target) || from.has(target)) continue;
      from.set(target, node);
      queue.push(target);
    }
  }
  throw new TypeError('a component of several nodes has a way round');
}
