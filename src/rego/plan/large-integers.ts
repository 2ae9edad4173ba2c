import { ExactNumber } from '../values/number';
import { isObject, isSet, type RegoValue } from '../values/value';

/** Whether a document holds an integer beyond 2^53. */
export function largeIntegersIn(value: RegoValue): boolean {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) && !Number.isSafeInteger(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return false;
  if (value instanceof ExactNumber) return !/[.e]/i.test(value.text);
  if (Array.isArray(value)) {
    for (const item of value) if (largeIntegersIn(item)) return true;
    return false;
  }
  if (isObject(value) || isSet(value)) for (const item of value.values()) if (largeIntegersIn(item)) return true;
  return false;
}
