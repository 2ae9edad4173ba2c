/** One change of where replicas are. */
export interface ShardStep {
  kind: 'add' | 'move' | 'remove';
  shard: string;
  /** the node that loses the replica; of a move and a removal */
  from?: string;
  /** the node that gets the replica; of a move and an addition */
  to?: string;
  /** what the replica is to be, where roles are given; of an addition */
  role?: string;
  /** what it does and why, in one sentence */
  sentence: string;
}
