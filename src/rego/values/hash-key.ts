import { ExactNumber, numberKey } from './number';
import { isObject, isSet, type RegoValue } from './value';

/** What stands for a value in a JavaScript Map: equal values have equal keys, different ones different keys. */
export type HashKey = string | number | boolean | null;

/**
 * The key of a primitive is the value itself, so that most are free. That of a composite is a canonical text which
 * begins with U+0000; a string that begins so is marked, to be told from them.
 */
export function hashKey(value: RegoValue): HashKey {
  switch (typeof value) {
    case 'string':
      return value.charCodeAt(0) === 0 ? `\0s${value}` : value;
    case 'number':
      return value === 0 ? 0 : value;
    case 'boolean':
      return value;
    default:
      if (value === null) return null;
      return value instanceof ExactNumber ? numberKey(value) : `\0${canonicalText(value)}`;
  }
}

function canonicalText(value: RegoValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return `n${value}`;
    case 'boolean':
      return value ? 't' : 'f';
    default:
  }
  if (value === null) return '0';
  if (value instanceof ExactNumber) {
    const key = numberKey(value);
    return typeof key === 'number' ? `n${key}` : key;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (isSet(value)) return `<${value.items.map(canonicalText).join(',')}>`;
  if (!isObject(value)) throw new TypeError('Expected a Rego value');
  return `{${value.keys.map((key) => `${canonicalText(key)}:${canonicalText(value.get(key)!)}`).join(',')}}`;
}
