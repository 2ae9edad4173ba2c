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

/** A replica that is copied to a node: a move, or one more replica. */
export type Copying = Omit<Move, 'from'> & { from?: string };

/** What one run may still move: every move that is proposed is counted, and the next one is asked for under what is left. */
export class MoveLimits {
  private moves = 0;
  private readonly byNode = new Map<string, number>();
  private readonly byLabel = new Map<string, number>();
  /** by shard the nodes that its replicas leave and go to in this run */
  private readonly left = new Map<string, string[]>();
  private readonly reached = new Map<string, string[]>();

  /** @param earlier steps that were proposed before in the same run */
  constructor(
    private readonly limits: Limits,
    private readonly state: ClusterState,
    private readonly nowMs: number,
    earlier: readonly Pick<ShardStep, 'shard' | 'from' | 'to'>[] = [],
  ) {
    for (const { shard, from, to } of earlier) {
      if (to === undefined) this.countRemoval(shard, from!);
      else this.count({ shard, to, ...(from === undefined ? {} : { from }) });
    }
  }

  count(copying: Copying): void {
    const { shard, from, to } = copying;
    this.add(copying, 1);
    pushTo(this.reached, shard, to);
    if (from !== undefined) pushTo(this.left, shard, from);
  }

  /** Takes back what was counted. */
  uncount(copying: Copying): void {
    const { shard, from, to } = copying;
    this.add(copying, -1);
    takeFrom(this.reached, shard, to);
    if (from !== undefined) takeFrom(this.left, shard, from);
  }

  /** A removal is no move, but the replica is gone. */
  countRemoval(shard: string, from: string): void {
    pushTo(this.left, shard, from);
  }

  private add({ from, to }: Copying, change: 1 | -1): void {
    this.moves += change;
    for (const node of from === undefined ? [to] : [from, to]) bump(this.byNode, node, change);
    for (const label of this.labelsOf(from, to)) bump(this.byLabel, label, change);
  }

  /** Why nothing may be moved now or any more, naming the limit; undefined when something may. */
  runRefusal(): string | undefined {
    const { maxMovesPerRun, maxConcurrentMoves } = this.limits;
    const cooling = this.clusterRefusal();
    if (cooling !== undefined) return cooling;
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

  /** Why a shard may not get one more replica on a node, naming the limit; undefined when it may. */
  additionRefusal(shard: string, to: string): string | undefined {
    return this.runRefusal() ?? this.cooldownRefusal(this.state.shards.get(shard)!) ?? this.placeRefusal({ to });
  }

  /** Why a shard's replica may not be removed from a node, but for `minReplicas`; undefined when it may. */
  removalRefusal(id: string, from: string): string | undefined {
    const shard = this.state.shards.get(id)!;
    return this.clusterRefusal() ?? this.ageRefusal(shard, from) ?? this.cooldownRefusal(shard);
  }

  /** Why a shard's replica may not leave its node, whatever the destination. */
  shardRefusal(id: string, from: string): string | undefined {
    if (this.reached.get(id)?.includes(from)) return `${id} comes to ${from} in this run`;
    const shard = this.state.shards.get(id)!;
    return this.ageRefusal(shard, from) ?? this.cooldownRefusal(shard) ?? this.upRefusal(shard, from);
  }

  private clusterRefusal(): string | undefined {
    const { cooldown } = this.limits;
    const since = parseTime(this.state.cluster.last_moved_at);
    if (cooldown === undefined || since === undefined || this.nowMs - since >= parseDuration(cooldown)) {
      return undefined;
    }
    return `cooldown: the last move was ${formatDuration(this.nowMs - since)} ago, less than ${cooldown}`;
  }

  private placeRefusal({ from, to }: Pick<Copying, 'from' | 'to'>): string | undefined {
    const { maxMovesPerNode, maxMovesPerLabel = {} } = this.limits;
    for (const node of from === undefined ? [to] : [from, to]) {
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

  private upRefusal({ id }: Shard, from: string): string | undefined {
    const { minReplicas } = this.limits;
    if (minReplicas === undefined) return undefined;
    const left = this.upWithout(id, from);
    if (left >= minReplicas) return undefined;
    return `minReplicas: ${left} replicas of ${id} would stay up, fewer than ${minReplicas}`;
  }

  /** Replicas of a shard that are up while one leaves its node: those that leave in the same run, or are in flight, are not. */
  upWithout(id: string, from: string): number {
    const moving = new Set([from, ...(this.left.get(id) ?? [])]);
    for (const { shard, from: node, to } of this.state.moves) {
      if (shard !== id) continue;
      moving.add(to);
      if (node !== undefined) moving.add(node);
    }
    const { replicas } = this.state.shards.get(id)!;
    return replicas.filter((node) => this.node(node).status !== NodeStatus.down && !moving.has(node)).length;
  }

  /** `key=value` of the labels that have a limit, of both nodes, each once. */
  private labelsOf(from: string | undefined, to: string): string[] {
    const keys = Object.keys(this.limits.maxMovesPerLabel ?? {});
    const found = (from === undefined ? [to] : [from, to]).flatMap((id) =>
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

function bump(counts: Map<string, number>, key: string, change: 1 | -1): void {
  counts.set(key, (counts.get(key) ?? 0) + change);
}

function pushTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function takeFrom(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)!;
  list.splice(list.lastIndexOf(value), 1);
}

function isRecord(value: JsonValue | undefined): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
