import { MEASURES, Measure } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import { NodeStatus } from '../state/cluster-state';

/** How even one measure is over ready nodes. */
export interface Spread {
  max: number;
  mean: number;
  variance: number;
}

/** What a cluster is like: what a simulation shows before and after, and what metrics say of an execution. */
export interface Impact {
  /** by measure, of ready nodes */
  load: Record<Measure, Spread>;
  /** the greatest number of replicas on a ready node over the mean; 1 when they are even */
  load_spread: number;
  /** mean over ready nodes and their known usages, in percent; absent where none is known */
  utilization?: number;
  /** per hour, of the nodes that hold a replica */
  cost: number;
  /** nodes that hold a replica and whose cost is not known: they are not in `cost` */
  cost_unknown: string[];
  replicas: number;
  replicas_per_region: Record<string, number>;
  nodes: NodeImpact[];
}

export interface NodeImpact {
  node: string;
  status: NodeStatus;
  shards: number;
  qps: number;
  /** in percent, where the state has them */
  cpu_usage?: number;
  memory_usage?: number;
  disk_usage?: number;
}

const USAGES = [Measure.cpu_usage, Measure.memory_usage, Measure.disk_usage] as const;

/** The figures of a cluster as it is arranged. */
export function impactOf(arrangement: Arrangement): Impact {
  const nodes = arrangement.nodes.map((node): NodeImpact => {
    const load = arrangement.loadOf(node.id);
    const usage = USAGES.filter((measure) => node[measure] !== undefined);
    return {
      node: node.id,
      status: node.status,
      shards: arrangement.countOn(node.id),
      qps: rounded(load[MEASURES.indexOf(Measure.qps)]!),
      ...Object.fromEntries(usage.map((measure) => [measure, rounded(load[MEASURES.indexOf(measure)]!)])),
    };
  });
  const ready = arrangement.nodes.filter(({ status }) => status === NodeStatus.ready).map(({ id }) => id);
  const load = Object.fromEntries(
    MEASURES.map((measure, at) => [measure, spreadOf(ready.map((id) => arrangement.loadOf(id)[at]!))]),
  ) as Record<Measure, Spread>;
  const known = nodes
    .filter(({ node }) => ready.includes(node))
    .flatMap((node) => USAGES.flatMap((measure) => node[measure] ?? []));
  const perRegion = new Map<string, number>();
  for (const { id, region = 'unknown' } of arrangement.nodes) {
    perRegion.set(region, (perRegion.get(region) ?? 0) + arrangement.countOn(id));
  }
  const { perHour, unknown } = arrangement.cost();
  const { max, mean } = load.shards;
  return {
    load,
    load_spread: mean > 0 ? rounded(max / mean) : 1,
    ...(known.length === 0 ? {} : { utilization: spreadOf(known).mean }),
    cost: rounded(perHour),
    cost_unknown: unknown,
    replicas: nodes.reduce((total, { shards }) => total + shards, 0),
    replicas_per_region: Object.fromEntries([...perRegion].sort(([one], [other]) => (one < other ? -1 : 1))),
    nodes,
  };
}

function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { max: 0, mean: 0, variance: 0 };
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  return { max: rounded(Math.max(...values)), mean: rounded(mean), variance: rounded(variance) };
}

function rounded(value: number): number {
  return Number(value.toFixed(6)) + 0;
}
