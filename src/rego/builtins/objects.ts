import { BuiltinError, listAt, objectAt, type Builtins } from './builtin';
import { RegoObject, RegoSet, compareValues, type RegoValue } from './rego-value';

export const objectBuiltins: Builtins = {
  'object.subset': ([whole, part]) => {
    if (whole instanceof RegoObject && part instanceof RegoObject) return isSubset(whole, part);
    if (whole instanceof RegoSet && part instanceof RegoSet) return isSubset(whole, part);
    if (Array.isArray(whole) && Array.isArray(part)) return isSubset(whole, part);
    // as in OPA, an empty set is not found in an empty array
    if (Array.isArray(whole) && part instanceof RegoSet) {
      return whole.length > 0 && part.items.every((item) => whole.some((other) => isEqual(other, item)));
    }
    throw new BuiltinError('both arguments object.subset must be of the same type or array and set');
  },
  'graph.reachable_paths': (operands) => {
    const graph = objectAt(operands, 0);
    const paths: RegoValue[] = [];
    for (const start of listAt(operands, 1)) {
      const neighbours = neighboursOf(graph, start);
      if (!neighbours) continue;
      if (neighbours.length === 0) paths.push([start]);
      for (const next of neighbours) follow(graph, next, [start], paths);
    }
    return new RegoSet(paths);
  },
};

const isEqual = (a: RegoValue, b: RegoValue) => compareValues(a, b) === 0;

/** Objects key by key and downwards, sets by their items, arrays as a stretch of the longer one. */
function isSubset(whole: RegoValue, part: RegoValue): boolean {
  if (isEqual(whole, part)) return true;
  if (whole instanceof RegoObject && part instanceof RegoObject) {
    return part.entries.every(([key, item]) => {
      const other = whole.get(key);
      return other !== undefined && isSubset(other, item);
    });
  }
  if (whole instanceof RegoSet && part instanceof RegoSet) return part.items.every((item) => whole.has(item));
  return Array.isArray(whole) && Array.isArray(part) && isStretch(whole, part);
}

/** Whether `part` stands in `whole` as it is. */
function isStretch(whole: RegoValue[], part: RegoValue[]): boolean {
  if (part.length > whole.length) return false;
  let [start, matched] = [0, 0];
  while (matched < part.length) {
    if (start + matched === whole.length) return false;
    if (isEqual(whole[start + matched]!, part[matched]!)) matched++;
    else [start, matched] = [start + 1, 0];
  }
  return true;
}

function neighboursOf(graph: RegoObject, node: RegoValue): readonly RegoValue[] | undefined {
  const edges = graph.get(node);
  if (edges === undefined) return undefined;
  if (edges instanceof RegoSet) return edges.items;
  return Array.isArray(edges) ? edges : [];
}

/** A path ends at a node without neighbours, before one that is not in the graph, and before a node that it holds. */
function follow(graph: RegoObject, node: RegoValue, path: RegoValue[], paths: RegoValue[]): void {
  const neighbours = neighboursOf(graph, node);
  if (!neighbours) {
    paths.push(path);
    return;
  }
  const longer = [...path, node];
  if (neighbours.length === 0) paths.push(longer);
  for (const next of neighbours) {
    if (longer.some((seen) => isEqual(seen, next))) paths.push(longer);
    else follow(graph, next, longer, paths);
  }
}
