import type { ReplicationSettings } from '../actions/schemas';
import type { ShardStep } from '../model/step';
import { fitReplicas, wantedRoles, type ReplicaFit } from '../placement/fit';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { NodeStatus, type Shard } from '../state/cluster-state';
import type { ActionDecision, DecisionContext } from './context';
import { placeShards } from './place-shards';

/**
 * Brings shards to their number of replicas: first what is missing is added, then orphans are removed, replicas that are too many
 * among them. A removal leaves as many replicas up as `consistency` and `minReplicas` ask for.
 */
export function decideReplication(settings: ReplicationSettings, context: DecisionContext): ActionDecision {
  const rules = toPlacementRules(settings);
  return placeShards(rules, context, {
    factor: settings.factor,
    afterwards: (shard, refusals) => removals(shard, settings, rules, context, refusals),
  });
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
