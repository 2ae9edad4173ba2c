import { MEASURES, type Measure } from '../actions/parts';
import type { TermChange } from '../../rules/domain';
import type { Arrangement } from '../model/arrangement';
import { isolationScore } from '../placement/locations';
import type { PlacementRules } from '../placement/rules';
import { measuresOf, weightsOf } from '../placement/score';

/**
 * Of all measures the greatest ratio of a ready node's load to the mean over ready nodes: 1 when the load is even, and where there
 * is none.
 */
export function greatestOverMean(arrangement: Arrangement, measures: readonly Measure[]): number {
  const ready = arrangement.nodes.filter(({ status }) => status === 'ready').map(({ id }) => arrangement.loadOf(id));
  const ratios = measures.map((measure) => {
    const at = MEASURES.indexOf(measure);
    const mean = ready.reduce((total, load) => total + load[at]!, 0) / ready.length;
    return mean > 0 ? Math.max(...ready.map((load) => load[at]!)) / mean : 1;
  });
  return Math.max(1, ...ratios);
}

/** Values of the objective's terms; taken before and after, they say what a decision makes better. */
export function termValues(
  arrangement: Arrangement,
  rules: PlacementRules,
  shards: readonly string[],
): Record<string, number> {
  const isolation = shards.map((id) => {
    const places = arrangement.placesOf(id).filter(({ phase }) => phase !== 'leaving');
    return isolationScore(
      places.map(({ node }) => arrangement.node(node)),
      rules.locationLabels,
    );
  });
  return {
    evenness: greatestOverMean(arrangement, measuresOf(rules, arrangement)),
    isolation: isolation.reduce((total, score) => total + score, 0),
    cost: arrangement.cost().perHour,
  };
}

/** The terms that count under the rules, with what moves cost. */
export function termsOf(
  before: Record<string, number>,
  after: Record<string, number>,
  rules: PlacementRules,
  moves: number,
): TermChange[] {
  const weights = weightsOf(rules);
  const term = (name: string, weight: number): TermChange => ({
    name,
    weight,
    before: before[name]!,
    after: after[name]!,
  });
  return [
    term('evenness', rules.evenness),
    ...(weights.isolation === undefined ? [] : [term('isolation', weights.isolation)]),
    ...(weights.cost === undefined ? [] : [term('cost', weights.cost)]),
    { name: 'movement', weight: rules.leastMovement, before: 0, after: moves },
  ];
}
