import { formatDuration, parseDuration } from '../../kernel/duration';
import type { JsonValue } from '../../kernel/json';
import { parseTime } from '../../kernel/time';
import type { Limits } from '../actions/parts';
import { NodeStatus, type ClusterNode, type ClusterState, type Shard } from '../state/cluster-state';
import { labelOf } from '../placement/locations';
import type { ShardStep } from '../model/step';

/** A move that is thought of. */
export interface Move {
  shard: string;
  from: string;
  to: string;
}

/** What one run may still move: every move that is proposed is counted, and the next one is asked for under what is left. */
export class MoveLimits {
  private moves = 0;
  private readonly byNode = new Map<string, number>();
  private readonly byLabel = new Map<string, number>();
  private readonly byShard = new Map<string, number>();

  /** @param earlier steps that were proposed before in the same run */
  constructor(
    private readonly limits: Limits,
    private readonly state: ClusterState,
    private readonly nowMs: number,
    earlier: readonly Pick<ShardStep, 'kind' | 'shard' | 'from' | 'to'>[] = [],
  ) {
    for (const { kind, shard, from, to } of earlier) if (kind === 'move') this.count({ shard, from: from!, to: to! });
  }

  /** The same limits with what was counted so far, to try moves on. */
  copy(): MoveLimits {
    const copy = new MoveLimits(this.limits, this.state, this.nowMs);
    copy.moves = this.moves;
    for (const [mine, theirs] of [
      [this.byNode, copy.byNode],
      [this.byLabel, copy.byLabel],
      [this.byShard, copy.byShard],
    ] as const) {
      for (const [key, count] of mine) theirs.set(key, count);
    }
    return copy;
  }

  count({ shard, from, to }: Move): void {
    this.moves += 1;
    bump(this.byShard, shard);
    for (const node of [from, to]) bump(this.byNode, node);
    for (const label of this.labelsOf(from, to)) bump(this.byLabel, label);
  }

  /** Why nothing may be moved now or any more, naming the limit; undefined when something may. */
  runRefusal(): string | undefined {
    const { maxMovesPerRun, maxConcurrentMoves, cooldown } = this.limits;
    const since = parseTime(this.state.cluster.last_moved_at);
    if (cooldown !== undefined && since !== undefined && this.nowMs - since < parseDuration(cooldown)) {
      return `cooldown: the last move was ${formatDuration(this.nowMs - since)} ago, less than ${cooldown}`;
    }
    if (maxMovesPerRun !== undefined && this.moves >= maxMovesPerRun) {
      return `maxMovesPerRun: ${maxMovesPerRun} moves are proposed`;
    }
    const inFlight = this.state.moves.length;
    if (maxConcurrentMoves !== undefined && inFlight + this.moves >= maxConcurrentMoves) {
      return `maxConcurrentMoves: ${inFlight} moves in flight and ${this.moves} proposed, of ${maxConcurrentMoves}`;
    }
    return undefined;
  }

  /** Why this move may not be made, naming the limit; undefined when it may. */
  refusal(move: Move): string | undefined {
    return this.runRefusal() ?? this.shardRefusal(move.shard, move.from) ?? this.placeRefusal(move);
  }

  /** Why a shard's replica may not leave its node, whatever the destination. */
  shardRefusal(id: string, from: string): string | undefined {
    const shard = this.state.shards.get(id)!;
    return this.ageRefusal(shard, from) ?? this.cooldownRefusal(shard) ?? this.upRefusal(shard, from);
  }

  private placeRefusal({ from, to }: Move): string | undefined {
    const { maxMovesPerNode, maxMovesPerLabel = {} } = this.limits;
    for (const node of [from, to]) {
      if (maxMovesPerNode !== undefined && (this.byNode.get(node) ?? 0) >= maxMovesPerNode) {
        return `maxMovesPerNode: ${node} has ${maxMovesPerNode} moves in this run`;
      }
    }
    for (const label of this.labelsOf(from, to)) {
      const most = maxMovesPerLabel[label.slice(0, label.indexOf('='))]!;
      if ((this.byLabel.get(label) ?? 0) >= most) return `maxMovesPerLabel: ${label} has ${most} moves in this run`;
    }
    return undefined;
  }

  private ageRefusal({ id, metrics }: Shard, node: string): string | undefined {
    const { minAge } = this.limits;
    if (minAge === undefined) return undefined;
    const placed = metrics.placed_at as JsonValue | undefined;
    const sinceMs = parseTime(isRecord(placed) ? placed[node] : placed);
    if (sinceMs === undefined) return `minAge: it is not known since when ${id} is on ${node} (placed_at)`;
    const ageMs = this.nowMs - sinceMs;
    if (ageMs >= parseDuration(minAge)) return undefined;
    return `minAge: ${id} is on ${node} for ${formatDuration(ageMs)}, less than ${minAge}`;
  }

  private cooldownRefusal({ id, metrics }: Shard): string | undefined {
    const { cooldown } = this.limits;
    const since = parseTime(metrics.moved_at);
    if (cooldown === undefined || since === undefined || this.nowMs - since >= parseDuration(cooldown))
      return undefined;
    return `cooldown: ${id} was moved ${formatDuration(this.nowMs - since)} ago, less than ${cooldown}`;
  }

  /** Replicas that stay up while this one moves: those that move in the same run, or are in flight, do not count. */
  private upRefusal({ id, replicas }: Shard, from: string): string | undefined {
    const { minReplicas } = this.limits;
    if (minReplicas === undefined) return undefined;
    const leaving = new Set(
      this.state.moves.filter(({ shard }) => shard === id).flatMap(({ from: node, to }) => [node, to]),
    );
    const up = replicas.filter(
      (node) => this.node(node).status !== NodeStatus.down && !leaving.has(node) && node !== from,
    );
    const left = Math.max(0, up.length - (this.byShard.get(id) ?? 0));
    if (left >= minReplicas) return undefined;
    return `minReplicas: ${left} replicas of ${id} would stay up, fewer than ${minReplicas}`;
  }

  /** `key=value` of the labels that have a limit, of both nodes, each once. */
  private labelsOf(from: string, to: string): string[] {
    const keys = Object.keys(this.limits.maxMovesPerLabel ?? {});
    const found = [from, to].flatMap((id) =>
      keys.flatMap((key) => {
        const value = labelOf(this.node(id), key);
        return value === undefined ? [] : [`${key}=${value}`];
      }),
    );
    return [...new Set(found)];
  }

  private node(id: string): ClusterNode {
    return this.state.nodes.get(id)!;
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function isRecord(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
