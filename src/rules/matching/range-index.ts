import type { CompiledCondition } from '../conditions/compile-condition';

/** One rule at its place in the index. */
export interface IndexedRule {
  /** place in the order of evaluation, from 0 */
  ordinal: number;
  /** what the index has not answered yet; undefined when it has answered all */
  rest: CompiledCondition | undefined;
}

/** A bound that a number has to be below or above. */
export interface Bound {
  side: 'below' | 'above';
  limit: number;
  /** whether the limit itself is within */
  inclusive: boolean;
}

interface BoundRule extends IndexedRule {
  limit: number;
  inclusive: boolean;
}

/** Rules with a bound on one number, so that only those are visited whose bound holds. */
export class RangeIndex {
  /** by limit, the lowest first; the exclusive one of two equal limits first */
  private readonly below: BoundRule[] = [];
  /** the same over negated numbers */
  private readonly above: BoundRule[] = [];

  add({ side, limit, inclusive }: Bound, rule: IndexedRule): void {
    const bounded = { ...rule, limit: side === 'below' ? limit : -limit, inclusive };
    (side === 'below' ? this.below : this.above).push(bounded);
  }

  /** Once, after the last rule was added. */
  sort(): void {
    for (const rules of [this.below, this.above]) {
      rules.sort((one, other) => one.limit - other.limit || Number(one.inclusive) - Number(other.inclusive));
    }
  }

  visit(actual: number, take: (rule: IndexedRule) => void): void {
    visitFrom(this.below, actual, take);
    visitFrom(this.above, -actual, take);
  }
}

/** All rules from the first whose limit is above `actual`, or is `actual` and inclusive. */
function visitFrom(rules: readonly BoundRule[], actual: number, take: (rule: IndexedRule) => void): void {
  let [from, to] = [0, rules.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const { limit, inclusive } = rules[middle]!;
    if (limit > actual || (limit === actual && inclusive)) to = middle;
    else from = middle + 1;
  }
  for (let at = from; at < rules.length; at += 1) take(rules[at]!);
}
