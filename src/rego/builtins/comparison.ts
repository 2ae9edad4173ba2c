import type { Builtin, Builtins } from './builtin';
import { compareValues, equalValues } from '../values/compare';

const ordering =
  (holds: (order: number) => boolean): Builtin =>
  ([a, b]) =>
    holds(compareValues(a!, b!));

/** Of values of any types: `null < 1` is true, as OPA sorts them. */
export const comparisonBuiltins: Builtins = {
  equal: ([a, b]) => equalValues(a!, b!),
  eq: ([a, b]) => equalValues(a!, b!),
  neq: ([a, b]) => !equalValues(a!, b!),
  gt: ordering((order) => order > 0),
  gte: ordering((order) => order >= 0),
  lt: ordering((order) => order < 0),
  lte: ordering((order) => order <= 0),
};
