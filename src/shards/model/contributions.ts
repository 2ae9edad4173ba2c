import { Measure, MEASURES } from '../actions/parts';
import type { ClusterNode, Shard } from '../state/cluster-state';

/** A load by measure, in the order of `MEASURES`. */
export type Load = Float64Array;

export function noLoad(): Load {
  return new Float64Array(MEASURES.length);
}

export function addLoad(to: Load, load: Load, times: 1 | -1 = 1): void {
  for (let at = 0; at < to.length; at += 1) to[at]! += times * load[at]!;
}

/** What a node's usage is shared by among the replicas that say nothing of their own. */
const SHARED_BY: Partial<Record<Measure, (shard: Shard) => number>> = {
  cpu_usage: ({ qps = 0 }) => qps,
  memory_usage: ({ size_bytes: bytes = 0 }) => bytes,
  disk_usage: ({ size_bytes: bytes = 0 }) => bytes,
};

/** What a shard itself says that each of its replicas costs; undefined where it says nothing. */
export function statedLoad(shard: Shard, measure: Measure): number | undefined {
  if (measure === Measure.shards) return 1;
  if (measure === Measure.qps) return shard.qps ?? 0;
  const stated = shard.metrics[measure];
  return typeof stated === 'number' ? stated : undefined;
}

/**
 * What each replica on a node contributes to the node's load, and what the node has without them. A shard's own `cpu_usage`,
 * `memory_usage` and `disk_usage` count where it has them; the rest of the node's is shared by `qps` (processor) or
 * `size_bytes` (memory and disk). Where nothing tells the shares, the usage stays with the node.
 */
export function contributionsOn(node: ClusterNode, shards: readonly Shard[]): { base: Load; loads: Load[] } {
  const base = noLoad();
  const loads = shards.map(noLoad);
  MEASURES.forEach((measure, at) => {
    const stated = shards.map((shard) => statedLoad(shard, measure));
    stated.forEach((load, index) => (loads[index]![at] = load ?? 0));
    const shareOf = SHARED_BY[measure];
    if (shareOf === undefined) return;
    const usage = node[measure as 'cpu_usage' | 'memory_usage' | 'disk_usage'] ?? 0;
    const rest = Math.max(0, usage - sum(stated.map((load) => load ?? 0)));
    const shares = shards.map((shard, index) => (stated[index] === undefined ? shareOf(shard) : 0));
    const whole = sum(shares);
    if (whole === 0) {
      base[at] = rest;
      return;
    }
    shares.forEach((share, index) => (loads[index]![at]! += (rest * share) / whole));
  });
  return { base, loads };
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
