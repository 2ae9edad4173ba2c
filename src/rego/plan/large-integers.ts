import { ExactNumber } from '../values/number';
import { isObject, isSet, type RegoValue } from '../values/value';

/** Whether a value is an integer beyond 2^53, written with digits alone. */
export function isLargeInteger(value: RegoValue): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return value instanceof ExactNumber && !/[.e]/i.test(value.text);
}

/** Whether a document holds an integer beyond 2^53. */
export function largeIntegersIn(value: RegoValue): boolean {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return isLargeInteger(value);
  if (Array.isArray(value)) {
    for (const item of value) if (largeIntegersIn(item)) return true;
    return false;
  }
  if (isObject(value) || isSet(value)) for (const item of value.values()) if (largeIntegersIn(item)) return true;
  return false;
}
