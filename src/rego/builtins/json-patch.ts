import { BuiltinError, type Builtins } from './builtin';
import { pathSegments } from './json-paths';
import { arrayAt } from './operands';
import { equalValues } from '../values/compare';
import { isNumber, numberText } from '../values/number';
import { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import { isObject, isSet, typeName, type RegoValue } from '../values/value';

/** RFC 6902, and beyond it paths as arrays, which reach keys that are no strings and the items of sets. */
export const jsonPatchBuiltins: Builtins = {
  'json.patch': (operands) => {
    let document: RegoValue | undefined = operands[0]!;
    for (const operation of arrayAt(operands, 1)) {
      if (!isObject(operation)) throw new BuiltinError('must be an array of JSON-Patch objects');
      document = apply(document, operation);
    }
    return document;
  },
};

function apply(document: RegoValue | undefined, operation: RegoObject): RegoValue | undefined {
  const path = pathSegments(attribute(operation, 'path'));
  const op = attribute(operation, 'op');
  switch (op) {
    case 'add':
      return insert(document, path, attribute(operation, 'value'));
    case 'remove':
      return remove(document, path);
    case 'replace':
      return insert(remove(document, path), path, attribute(operation, 'value'));
    case 'move': {
      const from = pathSegments(attribute(operation, 'from'));
      const moved = find(document, from);
      return insert(remove(document, from), path, moved);
    }
    case 'copy':
      return insert(document, path, find(document, pathSegments(attribute(operation, 'from'))));
    case 'test':
      if (!equalValues(find(document, path), attribute(operation, 'value'))) throw new BuiltinError('test failed');
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

function find(document: RegoValue | undefined, path: RegoValue[]): RegoValue {
  const found = path.reduce<RegoValue | undefined>((value, key) => child(value, key), document);
  if (found === undefined) throw new BuiltinError('path does not exist');
  return found;
}

function child(value: RegoValue | undefined, key: RegoValue): RegoValue | undefined {
  if (isObject(value)) return value.get(key);
  if (isSet(value)) return value.has(key) ? key : undefined;
  return Array.isArray(value) ? value[indexIn(value, key)] : undefined;
}

/** @param last the largest index allowed; inserting may append */
function indexIn(items: RegoValue[], key: RegoValue, last = items.length - 1): number {
  const text = isNumber(key) ? numberText(key) : key;
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
  if (isObject(value)) return new RegoObject([...value.entries, [key, added]]);
  if (Array.isArray(value)) return value.toSpliced(indexIn(value, key, value.length), 0, added);
  if (isSet(value)) {
    if (!equalValues(key, added)) throw new BuiltinError('set key does not equal value to be added');
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
  if (isSet(value)) return new RegoSet(value.items.filter((item) => !equalValues(item, key)));
  return new RegoObject((value as RegoObject).entries.filter(([other]) => !equalValues(other, key)));
}

function withChild(value: RegoValue, key: RegoValue, changed: RegoValue): RegoValue {
  if (Array.isArray(value)) return value.with(indexIn(value, key), changed);
  if (isSet(value)) {
    return new RegoSet([...value.items.filter((item) => !equalValues(item, key)), changed]);
  }
  return new RegoObject([...(value as RegoObject).entries, [key, changed]]);
}
