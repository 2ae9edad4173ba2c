import type { TermChange } from '../../rules/domain';
import type { Arrangement } from '../model/arrangement';
import type { ShardStep } from '../model/step';
import type { DroppedNodes, RankedNode } from '../placement/rank';
import type { ClusterState } from '../state/cluster-state';

/** What an action is decided on. */
export interface DecisionContext {
  nowMs: number;
  /** as it was observed */
  state: ClusterState;
  /** with the steps that were decided earlier, and those of this decision as they come */
  arrangement: Arrangement;
  /** steps that were decided before, of the same run */
  earlierMoves: readonly ShardStep[];
  /** the shard that it is about; undefined for all */
  shard?: string;
  /** the node that holds the replica, where it is about one */
  source?: string;
  dropped: DroppedNodes;
}

/** What one action comes to. */
export interface ActionDecision {
  candidates: RankedNode[];
  steps: ShardStep[];
  refusals: string[];
  terms: TermChange[];
}
