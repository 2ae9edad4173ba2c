import { isNumber, numberText, toIndex } from '../values/number';
import { RegoObject } from '../values/rego-object';
import { RegoSet } from '../values/rego-set';
import type { RegoValue } from '../values/value';

/** What a value holds under a key; of a set, the member itself. */
export function lookUp(container: RegoValue | undefined, key: RegoValue): RegoValue | undefined {
  if (container instanceof RegoObject || container instanceof RegoSet) return container.get(key);
  if (!Array.isArray(container)) return undefined;
  const index = typeof key === 'number' ? key : isNumber(key) ? toIndex(key) : undefined;
  return index === undefined || index < 0 ? undefined : container[index];
}

/**
 * A step of a reference into base documents. OPA reads them from its store by a path of texts: there a number finds the
 * key that is its text, and "0" finds the first element of a list.
 */
export function lookUpBase(container: RegoValue | undefined, key: RegoValue): RegoValue | undefined {
  if (!isByText(container, key)) return lookUp(container, key);
  if (Array.isArray(container)) return container[Number(key)];
  return (container as RegoObject).get(numberText(key as number)) ?? lookUp(container, key);
}

/** Whether a lookup in base documents may answer in another way than one in a value that is equal to them. */
export function isByText(container: RegoValue | undefined, key: RegoValue): boolean {
  if (container instanceof RegoObject) return isNumber(key);
  return Array.isArray(container) && typeof key === 'string' && /^[+-]?\d+$/.test(key);
}
