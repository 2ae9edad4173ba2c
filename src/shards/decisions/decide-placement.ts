import type { PlacementSettings } from '../actions/schemas';
import type { ShardStep } from '../model/step';
import { placeShard } from '../placement/place-shard';
import { rankNodes } from '../placement/rank';
import { toPlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { termsOf, termValues } from './terms';

/** Nodes for the replicas that a shard lacks, or that every shard lacks where none is named. */
export function decidePlacement(settings: PlacementSettings, context: DecisionContext): ActionDecision {
  const { arrangement, dropped, shard: asked } = context;
  const rules = toPlacementRules(settings);
  const shards = asked === undefined ? arrangement.allShards() : [arrangement.shard(asked)!];
  const candidates = rankNodes({ ...(asked === undefined ? {} : { shard: shards[0]! }) }, arrangement, rules, dropped);
  const ids = shards.map(({ id }) => id);
  const before = termValues(arrangement, rules, ids);
  const steps: ShardStep[] = [];
  const refusals = rulesRefusal(rules);
  for (const shard of refusals.length > 0 ? [] : shards) {
    const cost = arrangement.cost();
    const placed = placeShard(shard, arrangement, rules, dropped);
    const overBudget = placed.steps.length === 0 ? undefined : budgetRefusal(rules.budget, cost, arrangement.cost());
    refusals.push(...placed.refusals);
    if (overBudget === undefined) steps.push(...placed.steps);
    else {
      refusals.push(`${shard.id}: ${overBudget}`);
      for (const step of [...placed.steps].reverse()) arrangement.undo(step);
    }
  }
  return { candidates, steps, refusals, terms: termsOf(before, termValues(arrangement, rules, ids), rules, 0) };
}
