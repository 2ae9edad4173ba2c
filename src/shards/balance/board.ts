import { MEASURES, type Measure } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import { firstDifference, fulfils, isolationBeside } from '../placement/locations';
import type { DroppedNodes } from '../placement/rank';
import type { PlacementRules } from '../placement/rules';
import { NodeStatus, type ClusterNode } from '../state/cluster-state';

/** Loads that differ by less are equal: sums in another order differ in their last digits. */
export const EPSILON = 1e-9;

/** What may be moved, and where to. */
export interface BoardOptions {
  measures: readonly Measure[];
  rules: PlacementRules;
  /** nodes that conditions drop: nothing is moved to them */
  dropped: DroppedNodes;
  /** whether a replica may leave its node */
  isMovable(shard: string, node: string): boolean;
}

/**
 * The replicas of a cluster as numbers, for searches that try many steps. Nodes are counted by id, and so are the replicas on a
 * node. Loads are divided by their mean over ready nodes: a node's load is 1 when it has its share, and of several measures the
 * greatest counts.
 */
export class Board {
  readonly nodes: readonly ClusterNode[];
  /** of nodes that are ready: these are balanced */
  readonly ready: readonly number[];
  /** node of each replica */
  readonly nodeOf: number[] = [];
  readonly shardOf: string[] = [];
  readonly isMovable: boolean[] = [];
  /** replicas on each node that take part in its load */
  readonly on: number[][];
  private readonly width: number;
  private readonly loads: Float64Array;
  private readonly contributions: number[] = [];
  private readonly sizes: (number | undefined)[] = [];
  private readonly counts: Float64Array;
  private readonly bytes: Float64Array;
  private readonly isTarget: boolean[];
  /** nodes of each shard's replicas */
  private readonly holders = new Map<string, number[]>();
  /** by node: the nodes that a replica of the same shard may not be on beside it; undefined without an isolation level */
  private readonly near?: readonly (readonly boolean[])[];
  /** by node: how far it is from each other one; undefined without location labels */
  private readonly distance?: readonly (readonly number[])[];

  constructor(
    arrangement: Arrangement,
    private readonly options: BoardOptions,
  ) {
    const { measures, rules, dropped } = options;
    this.nodes = arrangement.nodes;
    const index = new Map(this.nodes.map(({ id }, at) => [id, at]));
    const isReady = this.nodes.map(({ status }) => status === NodeStatus.ready);
    this.ready = this.nodes.flatMap((_node, at) => (isReady[at] ? [at] : []));
    this.isTarget = this.nodes.map(
      (node, at) => isReady[at]! && !dropped.has(node.id) && rules.required.every((one) => fulfils(node, one)),
    );
    this.near = nearNodes(this.nodes, rules);
    this.distance = distances(this.nodes, rules);
    this.on = this.nodes.map(() => []);
    this.width = measures.length;
    const places = measures.map((measure) => MEASURES.indexOf(measure));
    const means = places.map(
      (at) =>
        this.ready.reduce((total, node) => total + arrangement.loadOf(this.nodes[node]!.id)[at]!, 0) /
        this.ready.length,
    );
    const share = (load: Float64Array, k: number) => (means[k]! > 0 ? load[places[k]!]! / means[k]! : 0);
    this.loads = new Float64Array(this.nodes.length * this.width);
    this.counts = Float64Array.from(this.nodes, ({ id }) => arrangement.countOn(id));
    this.bytes = Float64Array.from(this.nodes, ({ id }) => arrangement.bytesOn(id));
    this.nodes.forEach(({ id }, node) => {
      for (let k = 0; k < this.width; k += 1) this.loads[node * this.width + k] = share(arrangement.loadOf(id), k);
    });
    for (const shard of arrangement.allShards()) {
      const held = arrangement.placesOf(shard.id);
      this.holders.set(
        shard.id,
        held.map(({ node }) => index.get(node)!),
      );
      for (const { node: id, phase, load } of held) {
        const node = index.get(id)!;
        const replica = this.nodeOf.length;
        this.nodeOf.push(node);
        this.shardOf.push(shard.id);
        this.sizes.push(shard.size_bytes);
        this.isMovable.push(phase === 'here' && isReady[node]! && options.isMovable(shard.id, id));
        for (let k = 0; k < this.width; k += 1) this.contributions.push(share(load, k));
        this.on[node]!.push(replica);
      }
    }
  }

  /** The load of a node, 1 being its share. */
  load(node: number): number {
    return this.loadWith(node, -1, -1);
  }

  /** The load of a node with one replica more and another one less; -1 stands for none. */
  loadWith(node: number, more: number, less: number): number {
    let greatest = 0;
    for (let k = 0; k < this.width; k += 1) {
      let load = this.loads[node * this.width + k]!;
      if (more >= 0) load += this.contributions[more * this.width + k]!;
      if (less >= 0) load -= this.contributions[less * this.width + k]!;
      if (load > greatest) greatest = load;
    }
    return greatest;
  }

  /** The load that a node keeps whatever is moved. */
  stayingLoad(node: number): number {
    let greatest = 0;
    for (let k = 0; k < this.width; k += 1) {
      let load = this.loads[node * this.width + k]!;
      for (const replica of this.on[node]!) {
        if (this.isMovable[replica]) load -= this.contributions[replica * this.width + k]!;
      }
      if (load > greatest) greatest = load;
    }
    return greatest;
  }

  /** Of ready nodes. */
  greatestLoad(): number {
    return this.ready.reduce((most, node) => Math.max(most, this.load(node)), 0);
  }

  /** Loads of ready nodes, the greatest first: what a step makes smaller in the order of dictionaries. */
  sortedLoads(): number[] {
    return this.ready.map((node) => this.load(node)).sort((one, other) => other - one);
  }

  /** What a move changes in the sum of the squares of all loads: below 0 when they become more even. */
  squaresChange(replica: number, to: number): number {
    const from = this.nodeOf[replica]!;
    let change = 0;
    for (let k = 0; k < this.width; k += 1) {
      const part = this.contributions[replica * this.width + k]!;
      change += 2 * part * (this.loads[to * this.width + k]! - this.loads[from * this.width + k]! + part);
    }
    return change;
  }

  /** How much a replica contributes, by the measure in which that is most. */
  weight(replica: number): number {
    let greatest = 0;
    for (let k = 0; k < this.width; k += 1)
      greatest = Math.max(greatest, this.contributions[replica * this.width + k]!);
    return greatest;
  }

  /**
   * Whether a replica may be put on a node: it is ready and allowed, holds none of the shard, has room, keeps the shard's replicas
   * isolated, and is not nearer to them by the location labels.
   *
   * @param leaving another replica that leaves the node for it; -1 for none
   */
  allows(replica: number, to: number, leaving = -1): boolean {
    if (!this.isTarget[to]) return false;
    const { capacity } = this.nodes[to]!;
    const less = leaving < 0 ? 0 : 1;
    if (capacity.shards !== undefined && this.counts[to]! + 1 - less > capacity.shards) return false;
    if (capacity.bytes !== undefined) {
      const size = this.sizes[replica];
      const freed = leaving < 0 ? 0 : (this.sizes[leaving] ?? 0);
      if (size === undefined || this.bytes[to]! + size - freed > capacity.bytes) return false;
    }
    const holders = this.holders.get(this.shardOf[replica]!)!;
    if (holders.includes(to)) return false;
    return holders.length === 1 || this.isApart(replica, to, holders);
  }

  move(replica: number, to: number): void {
    const from = this.nodeOf[replica]!;
    for (let k = 0; k < this.width; k += 1) {
      const part = this.contributions[replica * this.width + k]!;
      this.loads[from * this.width + k]! -= part;
      this.loads[to * this.width + k]! += part;
    }
    const size = this.sizes[replica] ?? 0;
    this.counts[from]! -= 1;
    this.counts[to]! += 1;
    this.bytes[from]! -= size;
    this.bytes[to]! += size;
    const here = this.on[from]!;
    here.splice(here.indexOf(replica), 1);
    const there = this.on[to]!;
    // In the order of replicas, so that the same arrangement is the same board on whatever way it came about.
    let at = there.length;
    while (at > 0 && there[at - 1]! > replica) at -= 1;
    there.splice(at, 0, replica);
    this.nodeOf[replica] = to;
    const holders = this.holders.get(this.shardOf[replica]!)!;
    holders[holders.indexOf(from)] = to;
  }

  /** Puts every replica on the node that is given for it. */
  arrange(nodes: readonly number[]): void {
    nodes.forEach((node, replica) => {
      if (this.nodeOf[replica] !== node) this.move(replica, node);
    });
  }

  private isolationOf(node: number, others: readonly number[]): number {
    return others.reduce((total, other) => total + this.distance![node]![other]!, 0);
  }

  private isApart(replica: number, to: number, holders: readonly number[]): boolean {
    const { maxPerRegion, minRegions } = this.options.rules;
    const isAnywhere = this.distance === undefined && maxPerRegion === undefined && minRegions === undefined;
    if (isAnywhere) return true;
    const others = holders.filter((node) => node !== this.nodeOf[replica]);
    if (this.near !== undefined && others.some((node) => this.near![to]![node])) return false;
    if (this.distance !== undefined && this.isolationOf(to, others) < this.isolationOf(this.nodeOf[replica]!, others)) {
      return false;
    }
    const regions = others.map((node) => this.nodes[node]!.region);
    const { region } = this.nodes[to]!;
    if (maxPerRegion !== undefined && regions.filter((one) => one === region).length >= maxPerRegion) return false;
    if (minRegions === undefined) return true;
    // A shard that is in too few regions already may move, into no fewer.
    const there = new Set([...regions, this.nodes[this.nodeOf[replica]!]!.region]).size;
    return new Set([...regions, region]).size >= Math.min(minRegions, there);
  }
}

function distances(nodes: readonly ClusterNode[], { locationLabels }: PlacementRules): number[][] | undefined {
  if (locationLabels.length === 0) return undefined;
  return nodes.map((one) => nodes.map((other) => isolationBeside(one, [other], locationLabels)));
}

function nearNodes(
  nodes: readonly ClusterNode[],
  { isolationLevel, locationLabels }: PlacementRules,
): boolean[][] | undefined {
  if (isolationLevel === undefined) return undefined;
  const labels = locationLabels.slice(0, locationLabels.indexOf(isolationLevel) + 1);
  return nodes.map((one) => nodes.map((other) => firstDifference(one, other, labels) < 0));
}
