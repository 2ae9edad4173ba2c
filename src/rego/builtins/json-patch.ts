import { BuiltinError, arrayAt, type Builtins } from './builtin';
import { RegoNumber, RegoObject, RegoSet, compareValues, typeName, type RegoValue } from './rego-value';

/** RFC 6902, and beyond it paths as arrays, which reach keys that are no strings and the items of sets. */
export const jsonPatchBuiltins: Builtins = {
  'json.patch': (operands) => {
    let document: RegoValue | undefined = operands[0]!;
    for (const operation of arrayAt(operands, 1)) {
      if (!(operation instanceof RegoObject)) throw new BuiltinError('must be an array of JSON-Patch objects');
      document = apply(document, operation);
    }
    return document;
  },
};

function apply(document: RegoValue | undefined, operation: RegoObject): RegoValue | undefined {
  const path = readPath(attribute(operation, 'path'));
  const op = attribute(operation, 'op');
  switch (op) {
    case 'add':
      return insert(document, path, attribute(operation, 'value'));
    case 'remove':
      return remove(document, path);
    case 'replace':
      return insert(remove(document, path), path, attribute(operation, 'value'));
    case 'move': {
      const from = readPath(attribute(operation, 'from'));
      const moved = find(document, from);
      return insert(remove(document, from), path, moved);
    }
    case 'copy':
      return insert(document, path, find(document, readPath(attribute(operation, 'from'))));
    case 'test':
      if (compareValues(find(document, path), attribute(operation, 'value')) !== 0)
        throw new BuiltinError('test failed');
      return document;
    default:
      throw new BuiltinError('unrecognized op');
  }
}

function attribute(operation: RegoObject, name: string): RegoValue {
  const value = operation.get(name);
  if (value === undefined) throw new BuiltinError(`missing required attribute '${name}'`);
  return value;
}

function readPath(path: RegoValue): RegoValue[] {
  if (Array.isArray(path)) return path;
  if (typeof path !== 'string') throw new BuiltinError('must be a string path or an array of path segments');
  if (path === '') return [];
  const segments = path.replace(/^\/+/, '').split('/');
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function find(document: RegoValue | undefined, path: RegoValue[]): RegoValue {
  const found = path.reduce<RegoValue | undefined>((value, key) => child(value, key), document);
  if (found === undefined) throw new BuiltinError('path does not exist');
  return found;
}

function child(value: RegoValue | undefined, key: RegoValue): RegoValue | undefined {
  if (value instanceof RegoObject) return value.get(key);
  if (value instanceof RegoSet) return value.has(key) ? key : undefined;
  return Array.isArray(value) ? value[indexIn(value, key)] : undefined;
}

/** @param last the largest index allowed; inserting may append */
function indexIn(items: RegoValue[], key: RegoValue, last = items.length - 1): number {
  const text = key instanceof RegoNumber ? key.text : key;
  if (text === '-' && last === items.length) return last;
  const index = typeof text === 'string' && /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : NaN;
  if (!(index <= last)) throw new BuiltinError('no such index');
  return index;
}

function insert(value: RegoValue | undefined, path: RegoValue[], added: RegoValue): RegoValue {
  const [key, ...rest] = path;
  if (key === undefined) return added;
  if (rest.length > 0) {
    const inner = child(value, key);
    if (inner === undefined) throw new BuiltinError('path does not exist');
    return withChild(value!, key, insert(inner, rest, added));
  }
  if (value instanceof RegoObject) return new RegoObject([...value.entries, [key, added]]);
  if (Array.isArray(value)) return value.toSpliced(indexIn(value, key, value.length), 0, added);
  if (value instanceof RegoSet) {
    if (compareValues(key, added) !== 0) throw new BuiltinError('set key does not equal value to be added');
    return new RegoSet([...value.items, added]);
  }
  throw new BuiltinError(`expected composite type, found ${value === undefined ? 'nothing' : typeName(value)}`);
}

function remove(value: RegoValue | undefined, path: RegoValue[]): RegoValue | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return undefined;
  const inner = child(value, key);
  if (inner === undefined) throw new BuiltinError('path does not exist');
  if (rest.length > 0) return withChild(value!, key, remove(inner, rest)!);
  if (Array.isArray(value)) return value.toSpliced(indexIn(value, key), 1);
  if (value instanceof RegoSet) return new RegoSet(value.items.filter((item) => compareValues(item, key) !== 0));
  return new RegoObject((value as RegoObject).entries.filter(([other]) => compareValues(other, key) !== 0));
}

function withChild(value: RegoValue, key: RegoValue, changed: RegoValue): RegoValue {
  if (Array.isArray(value)) return value.with(indexIn(value, key), changed);
  if (value instanceof RegoSet) {
    return new RegoSet([...value.items.filter((item) => compareValues(item, key) !== 0), changed]);
  }
  return new RegoObject([...(value as RegoObject).entries, [key, changed]]);
}
