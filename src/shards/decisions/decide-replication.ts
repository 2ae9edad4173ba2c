import type { ReplicationSettings } from '../actions/schemas';
import type { ShardStep } from '../model/step';
import { fitReplicas, wantedRoles, type ReplicaFit } from '../placement/fit';
import { placeShard } from '../placement/place-shard';
import { rankNodes } from '../placement/rank';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { NodeStatus, type Shard } from '../state/cluster-state';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { termsOf, termValues } from './terms';

/**
 * Brings shards to their number of replicas: first what is missing is added, then orphans are removed, replicas that are too many
 * among them. A removal leaves as many replicas up as `consistency` and `minReplicas` ask for.
 */
export function decideReplication(settings: ReplicationSettings, context: DecisionContext): ActionDecision {
  const { arrangement, dropped, shard: asked } = context;
  const rules = toPlacementRules(settings);
  const shards = asked === undefined ? arrangement.allShards() : [arrangement.shard(asked)!];
  const candidates = rankNodes(asked === undefined ? {} : { shard: shards[0]! }, arrangement, rules, dropped);
  const ids = shards.map(({ id }) => id);
  const before = termValues(arrangement, rules, ids);
  const steps: ShardStep[] = [];
  const refusals = rulesRefusal(rules);
  for (const shard of refusals.length > 0 ? [] : shards) {
    const cost = arrangement.cost();
    const placed = placeShard(shard, arrangement, rules, dropped, settings.factor);
    const removed = placed.refusals.length > 0 ? [] : removals(shard, settings, rules, context, refusals);
    const own = [...placed.steps, ...removed];
    const overBudget = own.length === 0 ? undefined : budgetRefusal(rules.budget, cost, arrangement.cost());
    refusals.push(...placed.refusals);
    if (overBudget === undefined) steps.push(...own);
    else {
      refusals.push(`${shard.id}: ${overBudget}`);
      for (const step of [...own].reverse()) arrangement.undo(step);
    }
  }
  return { candidates, steps, refusals, terms: termsOf(before, termValues(arrangement, rules, ids), rules, 0) };
}

function removals(
  shard: Shard,
  settings: ReplicationSettings,
  rules: PlacementRules,
  { arrangement, state }: DecisionContext,
  refusals: string[],
): ShardStep[] {
  const { orphans }: ReplicaFit = fitReplicas(shard, arrangement, rules, wantedRoles(rules, settings.factor));
  const steps: ShardStep[] = [];
  for (const { node, reason } of orphans) {
    // A replica that was there before the run is up; one that the run adds is not yet.
    const up = shard.replicas.filter((id) => id !== node && state.nodes.get(id)!.status !== NodeStatus.down);
    const left = up.length - steps.filter(({ from }) => up.includes(from!)).length;
    const wanted = Math.max(keptUp(settings), settings.minReplicas ?? 0);
    const isUp = state.nodes.get(node)!.status !== NodeStatus.down;
    if (isUp && left < wanted) {
      const rule = settings.consistency === undefined ? 'minReplicas' : `consistency ${settings.consistency}`;
      refusals.push(
        `${shard.id} keeps its replica on ${node}, which ${reason}: without it ${left} would be up, fewer than ${wanted} (${rule})`,
      );
      continue;
    }
    const step: ShardStep = {
      kind: 'remove',
      shard: shard.id,
      from: node,
      sentence: `remove the replica of ${shard.id} from ${node}: an orphan, ${reason}`,
    };
    arrangement.apply(step);
    steps.push(step);
  }
  return steps;
}

/** Replicas that stay up during a change; one where nothing is said. */
function keptUp({ factor, consistency = 'one' }: ReplicationSettings): number {
  if (consistency === 'all') return factor;
  return consistency === 'quorum' ? Math.floor(factor / 2) + 1 : 1;
}
