import type { JsonObject } from '../../kernel/json';

/** A replica that is to be placed or removed. */
export interface ReplicaPlace {
  shard: string;
  node: string;
}

/** A replica that is to be moved. */
export interface ReplicaMove {
  shard: string;
  from: string;
  to: string;
}

/** What every call that changes something carries. */
export interface ManagerCall {
  /** the same for each attempt at one step: the manager carries it out once */
  key: string;
  /** the call is refused with `RevisionConflict` unless this is the state's version */
  onVersion?: string;
  signal: AbortSignal;
}

/** What became of a replica. */
export interface ReplicaAnswer {
  /** false where the replica was there, or was absent, already */
  changed: boolean;
  /** of the state afterwards */
  version: string;
}

export const OperationState = {
  running: 'running',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
} as const;
export type OperationState = (typeof OperationState)[keyof typeof OperationState];

/** A move under way, or over. */
export interface MoveOperation extends ReplicaMove {
  id: string;
  state: OperationState;
  /** why it failed */
  error?: string;
  /** epoch milliseconds: the manager gives up at this time */
  deadlineMs?: number;
}

/**
 * The manager of shards, as docs/shard-manager.openapi.yaml describes it. Every method throws `ManagerError`, or the signal's
 * reason.
 */
export interface ShardManager {
  /** the state document, not checked yet */
  state(signal: AbortSignal): Promise<JsonObject>;
  place(place: ReplicaPlace, call: ManagerCall): Promise<ReplicaAnswer>;
  /** @param force the last replica of the shard, too */
  remove(place: ReplicaPlace, call: ManagerCall, force: boolean): Promise<ReplicaAnswer>;
  /** @param withinMs the manager gives up after so long */
  startMove(move: ReplicaMove, call: ManagerCall, withinMs: number): Promise<MoveOperation>;
  operation(id: string, signal: AbortSignal): Promise<MoveOperation>;
  /** The operation afterwards: one that was over before stays as it was. */
  cancel(id: string, signal: AbortSignal): Promise<MoveOperation>;
}
