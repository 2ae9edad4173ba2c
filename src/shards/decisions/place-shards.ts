import type { Shard } from '../state/cluster-state';
import type { ShardStep } from '../model/step';
import type { MoveLimits } from '../moves/move-limits';
import { placeShard } from '../placement/place-shard';
import { rankNodes } from '../placement/rank';
import type { PlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { termsOf, termValues } from './terms';

export interface PlaceShardsOptions {
  /** replicas of each shard @default what the rules and the shard say */
  factor?: number;
  /** of the run; @default none */
  limits?: MoveLimits;
  /** further steps of a shard whose replicas were all placed; it adds what it refuses to the list */
  afterwards?(shard: Shard, refusals: string[]): ShardStep[];
}

/**
 * Nodes for the replicas that the shard of the question lacks, or that every shard lacks where none is named. What would go over
 * the budget is taken back, shard by shard, and refused by name.
 */
export function placeShards(
  rules: PlacementRules,
  { arrangement, dropped, shard: asked }: DecisionContext,
  { factor, limits, afterwards = () => [] }: PlaceShardsOptions = {},
): ActionDecision {
  const shards = asked === undefined ? arrangement.allShards() : [arrangement.shard(asked)!];
  const candidates = rankNodes(asked === undefined ? {} : { shard: shards[0]! }, arrangement, rules, dropped);
  const ids = shards.map(({ id }) => id);
  const before = termValues(arrangement, rules, ids);
  const steps: ShardStep[] = [];
  const refusals = rulesRefusal(rules);
  for (const shard of refusals.length > 0 ? [] : shards) {
    const cost = arrangement.cost();
    const placed = placeShard(shard, arrangement, rules, dropped, factor, limits);
    const further = placed.refusals.length > 0 ? [] : afterwards(shard, refusals);
    const own = [...placed.steps, ...further];
    const overBudget = own.length === 0 ? undefined : budgetRefusal(rules.budget, cost, arrangement.cost());
    refusals.push(...placed.refusals);
    if (overBudget === undefined) steps.push(...own);
    else {
      refusals.push(`${shard.id}: ${overBudget}`);
      for (const step of [...own].reverse()) {
        arrangement.undo(step);
        if (step.kind === 'add') limits?.uncount({ shard: shard.id, to: step.to! });
      }
    }
  }
  return { candidates, steps, refusals, terms: termsOf(before, termValues(arrangement, rules, ids), rules, 0) };
}
