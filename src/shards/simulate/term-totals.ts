import type { DecidedAction } from '../../rules/evaluation/answer';

/** One term of the objective over all that the actions of one name do. */
export interface TermTotal {
  action: string;
  term: string;
  weight: number;
  before: number;
  after: number;
}

/** Terms that each decision counts for its own shards; all others are of the whole cluster. */
const OF_SHARDS: ReadonlySet<string> = new Set(['isolation', 'movement']);

/**
 * Terms over all decisions, by action and weight: those of the whole cluster before the first decision and after the last, those
 * of shards in sum.
 *
 * @param actions in the order in which they are carried out
 */
export function termTotals(actions: readonly Pick<DecidedAction, 'action' | 'terms'>[]): TermTotal[] {
  const totals = new Map<string, TermTotal>();
  for (const { action, terms } of actions) {
    for (const { name, weight, before, after } of terms) {
      const key = JSON.stringify([action.name, name, weight]);
      const total = totals.get(key);
      if (total === undefined) totals.set(key, { action: action.name, term: name, weight, before, after });
      else if (OF_SHARDS.has(name)) {
        total.before += before;
        total.after += after;
      } else total.after = after;
    }
  }
  return [...totals.values()];
}
