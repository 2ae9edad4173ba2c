import type { JsonValue } from '../../kernel/json';
import { isMetricReference, Operator, type Comparison, type Condition } from '../conditions/condition';
import type { Bound } from './range-index';

/** A metric that has to equal a text, a number or a boolean. */
export interface Equality {
  metric: string;
  value: string | number | boolean;
}

export interface MetricBound extends Bound {
  metric: string;
}

/** A condition taken apart: it holds exactly when the equalities, the bound and the rest all do. */
export interface Conjuncts {
  /** by the metric's name, each metric once */
  equalities: Equality[];
  bound?: MetricBound;
  rest: Condition[];
}

/** Equalities that the index uses of one condition; with more it would have a branch for each combination of metrics. */
const INDEXED_EQUALITIES = 4;

/**
 * What an index can answer of a condition, and what is left. Only what must hold is taken: the parts of `all` at its top, and
 * of each `all` among these.
 */
export function toConjuncts(condition: Condition): Conjuncts {
  const parts = flatten(condition);
  const equalities = new Map<string, Equality>();
  let bound: MetricBound | undefined;
  const rest: Condition[] = [];
  for (const part of parts) {
    const equality = equalityOf(part);
    if (equality && !equalities.has(equality.metric) && equalities.size < INDEXED_EQUALITIES) {
      equalities.set(equality.metric, equality);
      continue;
    }
    const found = bound === undefined ? boundOf(part) : undefined;
    if (found) bound = found;
    else rest.push(part);
  }
  const sorted = [...equalities.values()].sort((one, other) => (one.metric < other.metric ? -1 : 1));
  return { equalities: sorted, ...(bound ? { bound } : {}), rest };
}

function flatten(condition: Condition): Condition[] {
  return 'all' in condition ? condition.all.flatMap(flatten) : [condition];
}

function equalityOf(condition: Condition): Equality | undefined {
  if (!isComparison(condition) || condition.operator !== Operator.eq) return undefined;
  const { metric, value } = condition;
  return isIndexed(value) ? { metric, value } : undefined;
}

function isIndexed(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

const BOUNDS: Partial<Record<Operator, Omit<Bound, 'limit'>>> = {
  lt: { side: 'below', inclusive: false },
  lte: { side: 'below', inclusive: true },
  gt: { side: 'above', inclusive: false },
  gte: { side: 'above', inclusive: true },
};

function boundOf(condition: Condition): MetricBound | undefined {
  if (!isComparison(condition)) return undefined;
  const bound = BOUNDS[condition.operator];
  const limit = condition.value as JsonValue;
  if (bound === undefined || isMetricReference(limit) || typeof limit !== 'number') return undefined;
  return { ...bound, metric: condition.metric, limit };
}

function isComparison(condition: Condition): condition is Comparison {
  return 'metric' in condition;
}
