import type { JsonObject, JsonValue } from '../../kernel/json';
import { compileCondition, lookUp, type CompiledCondition, type ConditionScope } from '../conditions/compile-condition';
import type { Condition } from '../conditions/condition';
import type { ConditionFunctions } from '../conditions/functions';
import { parseMetricPath } from '../conditions/metric-path';
import { toConjuncts, type Equality, type MetricBound } from './conjuncts';
import { RangeIndex, type IndexedRule } from './range-index';

/** The rules that share equalities on the same values. */
interface Bucket {
  unbound: IndexedRule[];
  bounds: Map<string, { keys: string[]; index: RangeIndex }>;
}

type Branch = Map<JsonValue, Branch | Bucket>;

/** The rules that have equalities on the same metrics: a level of `root` for each of them. */
interface Group {
  keys: string[][];
  root: Branch | Bucket;
}

/**
 * Finds the conditions that are true of a scope without asking all of them: a hash over the values of equalities, under it
 * the bounds of one number in order. The time depends on how many can match, and on how many different sets of metrics the
 * equalities use, not on how many conditions there are.
 */
export class RuleMatcher {
  private readonly groups = new Map<string, Group>();

  /** @param conditions without faults, in the order of evaluation */
  constructor(conditions: readonly Condition[], functions: ConditionFunctions) {
    const indexes: RangeIndex[] = [];
    conditions.forEach((condition, ordinal) => {
      const { equalities, bound, rest } = toConjuncts(condition);
      const compiled = rest.map((part) => compileCondition(part, functions));
      this.add(equalities, bound, { ordinal, rest: allTrue(compiled) }, indexes);
    });
    for (const index of indexes) index.sort();
  }

  /** Ordinals of the conditions that are true, in ascending order; one that is unknown is not among them. */
  matching(scope: ConditionScope): number[] {
    const matched: number[] = [];
    const take = ({ ordinal, rest }: IndexedRule) => {
      if (rest === undefined || rest(scope) === 'true') matched.push(ordinal);
    };
    for (const group of this.groups.values()) {
      const bucket = bucketOf(group, scope.metrics);
      if (bucket === undefined) continue;
      bucket.unbound.forEach(take);
      for (const { keys, index } of bucket.bounds.values()) {
        const actual = lookUp(scope.metrics, keys);
        if (typeof actual === 'number') index.visit(actual, take);
      }
    }
    return matched.sort((one, other) => one - other);
  }

  private add(equalities: Equality[], bound: MetricBound | undefined, rule: IndexedRule, made: RangeIndex[]): void {
    const name = JSON.stringify(equalities.map(({ metric }) => metric));
    let group = this.groups.get(name);
    if (group === undefined) {
      group = {
        keys: equalities.map(({ metric }) => parseMetricPath(metric)!),
        root: equalities.length === 0 ? newBucket() : new Map(),
      };
      this.groups.set(name, group);
    }
    const bucket = bucketFor(group, equalities);
    if (bound === undefined) {
      bucket.unbound.push(rule);
      return;
    }
    let bounded = bucket.bounds.get(bound.metric);
    if (bounded === undefined) {
      bounded = { keys: parseMetricPath(bound.metric)!, index: new RangeIndex() };
      bucket.bounds.set(bound.metric, bounded);
      made.push(bounded.index);
    }
    bounded.index.add(bound, rule);
  }
}

function newBucket(): Bucket {
  return { unbound: [], bounds: new Map() };
}

function bucketFor(group: Group, equalities: readonly Equality[]): Bucket {
  let at = group.root;
  equalities.forEach(({ value }, level) => {
    const branch = at as Branch;
    let next = branch.get(value);
    if (next === undefined) {
      next = level === equalities.length - 1 ? newBucket() : new Map<JsonValue, Branch | Bucket>();
      branch.set(value, next);
    }
    at = next;
  });
  return at as Bucket;
}

function bucketOf(group: Group, metrics: JsonObject): Bucket | undefined {
  let at: Branch | Bucket | undefined = group.root;
  for (const keys of group.keys) {
    const value = lookUp(metrics, keys);
    if (value === undefined) return undefined;
    at = (at as Branch).get(value);
    if (at === undefined) return undefined;
  }
  return at as Bucket;
}

function allTrue(parts: readonly CompiledCondition[]): CompiledCondition | undefined {
  if (parts.length <= 1) return parts[0];
  return (scope) => (parts.every((part) => part(scope) === 'true') ? 'true' : 'false');
}
