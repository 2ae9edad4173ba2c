import { isNumber, toIndex } from '../values/number';
import { isObject, isSet, type RegoValue } from '../values/value';

/** What a reference finds at a key of a value: OPA's `Term.Get`. An array's index may be written `1.0`. */
export function lookUp(value: RegoValue, key: RegoValue): RegoValue | undefined {
  if (isObject(value) || isSet(value)) return value.get(key);
  return Array.isArray(value) && isNumber(key) ? value[toIndex(key) ?? -1] : undefined;
}
