import { EvaluationConflictError } from '../builtins/plan-builtin';
import { equalValues } from '../values/compare';
import { RegoObject } from '../values/rego-object';
import type { RegoValue } from '../values/value';

/** Two objects as one, recursively; where both have a value that is no object, the first's. */
export function mergeValues(a: RegoValue, b: RegoValue): RegoValue {
  if (!(a instanceof RegoObject) || !(b instanceof RegoObject)) return a;
  const merged = b.copy();
  for (const key of a.keys) {
    const [mine, other] = [a.get(key)!, b.get(key)];
    merged.set(key, other === undefined ? mine : mergeValues(mine, other));
  }
  return merged;
}

/** A copy of `value` that has `replacement` at the path; what is missing, or no object, on the way becomes one. */
export function replaceAt(
  value: RegoValue | undefined,
  path: readonly string[],
  replacement: RegoValue,
  from = 0,
): RegoValue {
  if (from === path.length) return replacement;
  const copy = value instanceof RegoObject ? value.copy() : new RegoObject();
  copy.set(path[from]!, replaceAt(copy.get(path[from]!), path, replacement, from + 1));
  return copy;
}

/** Inserts a key that no other body may have given another value. @throws EvaluationConflictError */
export function insertOnce(object: RegoObject, key: RegoValue, value: RegoValue): void {
  const had = object.get(key);
  if (had !== undefined && !equalValues(had, value)) throw new EvaluationConflictError('object keys must be unique');
  object.set(key, value);
}
