import { jsonEntries } from './json';
import { ExactNumber, fromBigInt, numberOf, toDouble } from './number';
import { RegoObject } from './rego-object';
import { isSet, type RegoValue } from './value';

/** From plain JavaScript data, such as a parsed JSON or YAML document; `undefined` becomes null. */
export function fromPlain(value: unknown): RegoValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Object.is(value, -0) ? numberOf('-0') : value;
    case 'bigint':
      return fromBigInt(value);
    default:
  }
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(fromPlain);
  const object = new RegoObject();
  for (const key of Object.keys(value)) {
    const item = fromPlain((value as Record<string, unknown>)[key]);
    if (key.charCodeAt(0) === 0) object.set(key, item);
    else object.addPlain(key, item);
  }
  return object;
}

/** To plain JavaScript data: numbers become doubles, sets arrays in their order, keys text. */
export function toPlain(value: RegoValue): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof ExactNumber) return toDouble(value);
  if (Array.isArray(value)) return value.map(toPlain);
  if (isSet(value)) return value.items.map(toPlain);
  return objectToPlain(value);
}

function objectToPlain(object: RegoObject): unknown {
  const plain: Record<string, unknown> = {};
  for (const key of object.keys) {
    // assigning `__proto__` would set the prototype instead
    if (typeof key !== 'string' || key === '__proto__') {
      return Object.fromEntries(jsonEntries(object).map(([name, item]) => [name, toPlain(item)]));
    }
    plain[key] = toPlain(object.get(key)!);
  }
  return plain;
}
