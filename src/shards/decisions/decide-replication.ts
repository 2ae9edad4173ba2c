import type { ReplicationSettings } from '../actions/schemas';
import type { ShardStep } from '../model/step';
import { MoveLimits } from '../moves/move-limits';
import { fitReplicas, wantedRoles, type ReplicaFit } from '../placement/fit';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { NodeStatus, type Shard } from '../state/cluster-state';
import type { ActionDecision, DecisionContext } from './context';
import { placeShards } from './place-shards';

/**
 * Brings shards to their number of replicas: first what is missing is added, then orphans are removed, replicas that are too many
 * among them. A removal leaves as many replicas up as `consistency` and `minReplicas` ask for. An addition counts as a move under
 * the limits of the run; a removal only waits for `cooldown` and `minAge`.
 */
export function decideReplication(settings: ReplicationSettings, context: DecisionContext): ActionDecision {
  const rules = toPlacementRules(settings);
  const limits = new MoveLimits(settings, context.state, context.nowMs, context.earlierMoves);
  return placeShards(rules, context, {
    factor: settings.factor,
    limits,
    afterwards: (shard, refusals) => removals(shard, settings, rules, context, limits, refusals),
  });
}

function removals(
  shard: Shard,
  settings: ReplicationSettings,
  rules: PlacementRules,
  { arrangement, state }: DecisionContext,
  limits: MoveLimits,
  refusals: string[],
): ShardStep[] {
  const { orphans }: ReplicaFit = fitReplicas(shard, arrangement, rules, wantedRoles(rules, settings.factor));
  const steps: ShardStep[] = [];
  for (const { node, reason } of orphans) {
    const left = limits.upWithout(shard.id, node);
    const { consistency = 'one', minReplicas = 0 } = settings;
    const wanted = Math.max(keptUp(settings), minReplicas);
    const isUp = state.nodes.get(node)!.status !== NodeStatus.down;
    if (isUp && left < wanted) {
      const rule = wanted === minReplicas ? 'minReplicas' : `consistency ${consistency}`;
      refusals.push(
        `${shard.id} keeps its replica on ${node}, which ${reason}: without it ${left} would be up, fewer than ${wanted} (${rule})`,
      );
      continue;
    }
    const isArriving = arrangement
      .placesOf(shard.id)
      .some((place) => place.node === node && place.phase === 'arriving');
    const limited = isArriving ? 'it is on its way to it' : limits.removalRefusal(shard.id, node);
    if (limited !== undefined) {
      refusals.push(`${shard.id} keeps its replica on ${node}, which ${reason}: ${limited}`);
      continue;
    }
    const step: ShardStep = {
      kind: 'remove',
      shard: shard.id,
      from: node,
      sentence: `remove the replica of ${shard.id} from ${node}: an orphan, ${reason}`,
    };
    arrangement.apply(step);
    limits.countRemoval(shard.id, node);
    steps.push(step);
  }
  return steps;
}

/** Replicas that stay up during a change; one where nothing is said. */
function keptUp({ factor, consistency = 'one' }: ReplicationSettings): number {
  if (consistency === 'all') return factor;
  return consistency === 'quorum' ? Math.floor(factor / 2) + 1 : 1;
}
