import type { PlacementSettings } from '../actions/schemas';
import { toPlacementRules } from '../placement/rules';
import type { ActionDecision, DecisionContext } from './context';
import { placeShards } from './place-shards';

/** Nodes for the replicas that a shard lacks, or that every shard lacks where none is named. */
export function decidePlacement(settings: PlacementSettings, context: DecisionContext): ActionDecision {
  return placeShards(toPlacementRules(settings), context);
}
