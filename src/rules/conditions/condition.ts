import type { JsonObject, JsonValue } from '../../kernel/json';

export const Operator = {
  eq: 'eq',
  ne: 'ne',
  lt: 'lt',
  lte: 'lte',
  gt: 'gt',
  gte: 'gte',
  in: 'in',
  not_in: 'not_in',
  contains: 'contains',
  matches: 'matches',
  exists: 'exists',
  not_exists: 'not_exists',
  between: 'between',
  starts_with: 'starts_with',
  ends_with: 'ends_with',
} as const;
export type Operator = (typeof Operator)[keyof typeof Operator];

export const OPERATORS = Object.values(Operator);

/** A value that is looked up in the state when the condition is evaluated. */
export interface MetricReference {
  metric: string;
}

/** Shown with the result when the condition decides. */
interface Described {
  description?: string;
}

/** `metric` compared with `value`; `exists` and `not_exists` have none. */
export interface Comparison extends Described {
  metric: string;
  operator: Operator;
  value?: JsonValue | MetricReference;
}

export interface AllOf extends Described {
  all: Condition[];
}

export interface AnyOf extends Described {
  any: Condition[];
}

export interface Not extends Described {
  not: Condition;
}

/** A function that the program registered, called with literal arguments. */
export interface FunctionCall extends Described {
  function: string;
  args?: JsonObject;
}

/** A condition as it is written in a rule policy. */
export type Condition = Comparison | AllOf | AnyOf | Not | FunctionCall;

export function isMetricReference(value: unknown): value is MetricReference {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === 'metric' && typeof (value as MetricReference).metric === 'string';
}
