import type { Builtins } from './builtin';
import { itemsOf, objectAt, OperandError, wrongType } from './operands';
import { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import { isObject, isSet, typeName, type RegoValue } from '../values/value';

/** What is at paths such as `a/b/0`, or `["a", "b", 0]`, which reaches keys that are no strings too. */
export const jsonPathBuiltins: Builtins = {
  'json.filter': (operands) => filter(objectAt(operands, 0), treeAt(operands, 1)),
  'json.remove': (operands) => remove(objectAt(operands, 0), treeAt(operands, 1)),
};

/** The segments of a path; a leading `/` may be left out, and `~1` and `~0` stand for `/` and `~`. */
export function pathSegments(path: RegoValue): RegoValue[] {
  if (Array.isArray(path)) return path;
  if (typeof path !== 'string') {
    const got = `but got ${typeName(path)}`;
    throw new OperandError(1, `must be one of {set, array} containing string paths or array of path segments ${got}`);
  }
  if (path === '') return [];
  const segments = path.replace(/^\/+/, '').split('/');
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The paths as one object; null is where one ends. */
function treeAt(operands: readonly RegoValue[], index: number): RegoObject {
  const paths = itemsOf(operands[index]!);
  if (!paths) throw wrongType(operands, index, 'set', 'array');
  const root = new RegoObject();
  for (const segments of paths.map(pathSegments)) plant(root, segments);
  return root;
}

/** A shorter path that is there already holds the longer one. */
function plant(root: RegoObject, segments: RegoValue[]): void {
  let node = root;
  for (const segment of segments.slice(0, -1)) {
    let child = node.get(segment);
    if (child === undefined) {
      child = new RegoObject();
      node.set(segment, child);
    }
    if (!isObject(child)) return;
    node = child;
  }
  if (segments.length > 0) node.set(segments.at(-1)!, null);
}

function filter(value: RegoValue, tree: RegoValue): RegoValue {
  if (!isObject(tree)) return value;
  if (isObject(value)) {
    const kept = value.entries.filter(([key]) => tree.has(key));
    return new RegoObject(kept.map(([key, item]) => [key, filter(item, tree.get(key)!)] as const));
  }
  if (isSet(value)) {
    return new RegoSet(value.items.filter((item) => tree.has(item)).map((item) => filter(item, tree.get(item)!)));
  }
  if (!Array.isArray(value)) return value;
  return value.flatMap((item, index) => {
    const branch = tree.get(String(index));
    return branch === undefined ? [] : [filter(item, branch)];
  });
}

/** undefined where the value itself goes */
function remove(value: RegoValue, tree: RegoValue | undefined): RegoValue | undefined {
  if (tree === null) return undefined;
  if (!isObject(tree)) return value;
  if (isObject(value)) {
    const rest = new RegoObject();
    for (const [key, item] of value.entries) {
      const left = remove(item, tree.get(key));
      if (left !== undefined) rest.set(key, left);
    }
    return rest;
  }
  if (isSet(value)) return new RegoSet(value.items.map((item) => remove(item, tree.get(item))).filter(isPresent));
  if (!Array.isArray(value)) return value;
  return value.map((item, index) => remove(item, tree.get(String(index)))).filter(isPresent);
}

const isPresent = (value: RegoValue | undefined): value is RegoValue => value !== undefined;
