import { MEASURES } from '../actions/parts';
import type { ClusterNode, ClusterState, Shard } from '../state/cluster-state';
import { addLoad, contributionsOn, noLoad, statedLoad, type Load } from './contributions';
import type { ShardStep } from './step';

/** A replica's place: it is there, on its way to it, or about to leave it. */
export interface Place {
  node: string;
  phase: 'here' | 'arriving' | 'leaving';
  load: Load;
}

/** Places of shards, and sums of nodes, by id. */
interface Before {
  places: Map<string, Place[]>;
  nodes: Map<string, { load: Load; count: number; bytes: number }>;
}

/**
 * Which replicas are where, with what they cost: a state that steps can be tried on. Moves in flight take their place at the
 * destination, and keep the one at the source until they are done; their load counts at the destination.
 */
export class Arrangement {
  /** by id */
  readonly nodes: readonly ClusterNode[];
  private readonly byId: ReadonlyMap<string, ClusterNode>;
  private readonly shards: ReadonlyMap<string, Shard>;
  private readonly places = new Map<string, Place[]>();
  private readonly loads = new Map<string, Load>();
  private readonly counts = new Map<string, number>();
  private readonly bytes = new Map<string, number>();
  /** what a trial has touched, as it was before */
  private before: Before | undefined;

  constructor(state: ClusterState) {
    this.byId = state.nodes;
    this.shards = state.shards;
    this.nodes = [...state.nodes.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const on = new Map(this.nodes.map(({ id }) => [id, [] as Shard[]]));
    for (const shard of state.shards.values()) {
      this.places.set(shard.id, []);
      for (const node of shard.replicas) on.get(node)!.push(shard);
    }
    for (const node of this.nodes) {
      this.counts.set(node.id, 0);
      this.bytes.set(node.id, 0);
      const shards = on.get(node.id)!;
      const { base, loads } = contributionsOn(node, shards);
      this.loads.set(node.id, base);
      shards.forEach((shard, index) => this.put(shard, { node: node.id, phase: 'here', load: loads[index]! }));
    }
    for (const { shard, from, to } of state.moves) this.startMove(state.shards.get(shard)!, from, to);
  }

  node(id: string): ClusterNode {
    return this.byId.get(id)!;
  }

  shard(id: string): Shard | undefined {
    return this.shards.get(id);
  }

  /** of all shards, by id */
  allShards(): Shard[] {
    return [...this.shards.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  /** Places of a shard's replicas; none for a shard that the state does not have. */
  placesOf(shard: string): readonly Place[] {
    return this.places.get(shard) ?? [];
  }

  /** Load of a node by measure, in the order of `MEASURES`. */
  loadOf(node: string): Load {
    return this.loads.get(node)!;
  }

  /** Replicas on a node, those on their way to it and about to leave it too. */
  countOn(node: string): number {
    return this.counts.get(node)!;
  }

  /** Size of the replicas that `countOn` counts, as far as it is known. */
  bytesOn(node: string): number {
    return this.bytes.get(node)!;
  }

  /** What one more replica of a shard would cost a node: as it says, else as its present replicas do on the average. */
  expectedLoad(shard: Shard | undefined): Load {
    const load = noLoad();
    const places = shard === undefined ? [] : this.placesOf(shard.id);
    MEASURES.forEach((measure, at) => {
      if (measure === 'shards') load[at] = 1;
      else if (shard !== undefined) {
        const mean = places.reduce((total, place) => total + place.load[at]!, 0) / Math.max(1, places.length);
        load[at] = statedLoad(shard, measure) ?? mean;
      }
    });
    return load;
  }

  /** Cost per hour of the nodes that hold a replica; `unknown` are those of them that have no cost. */
  cost(): { perHour: number; unknown: string[] } {
    const used = this.nodes.filter(({ id }) => this.countOn(id) > 0);
    return {
      perHour: used.reduce((total, { cost_per_hour: cost = 0 }) => total + cost, 0),
      unknown: used.filter(({ cost_per_hour: cost }) => cost === undefined).map(({ id }) => id),
    };
  }

  /** Carries out a step at once. */
  apply({ shard: id, from, to }: Pick<ShardStep, 'shard' | 'from' | 'to'>): void {
    const shard = this.shards.get(id);
    if (shard === undefined) return;
    const taken = from === undefined ? undefined : this.take(shard, from);
    if (to !== undefined && !this.placesOf(id).some(({ node }) => node === to)) {
      this.put(shard, { node: to, phase: 'here', load: taken?.load ?? this.expectedLoad(shard) });
    }
  }

  /** Takes a step back; only of one that was just carried out. */
  undo({ shard, from, to }: Pick<ShardStep, 'shard' | 'from' | 'to'>): void {
    this.apply({ shard, from: to, to: from });
  }

  /**
   * Carries out `act`, then takes back, to the bit, every step that it carried out. What it returns must not hold a load or the
   * places of this arrangement.
   */
  trial<T>(act: () => T): T {
    const outer = this.before;
    const before: Before = { places: new Map(), nodes: new Map() };
    this.before = before;
    try {
      return act();
    } finally {
      for (const [shard, places] of before.places) this.places.set(shard, places);
      for (const [node, { load, count, bytes }] of before.nodes) {
        this.loads.set(node, load);
        this.counts.set(node, count);
        this.bytes.set(node, bytes);
      }
      this.before = outer;
    }
  }

  private startMove(shard: Shard, from: string | undefined, to: string): void {
    const places = this.placesOf(shard.id);
    const arrived = places.find(({ node }) => node === to);
    const left = places.find(({ node }) => node === from);
    if (arrived !== undefined) arrived.phase = 'arriving';
    else this.put(shard, { node: to, phase: 'arriving', load: left?.load ?? this.expectedLoad(shard) });
    if (left === undefined) return;
    left.phase = 'leaving';
    addLoad(this.loads.get(left.node)!, left.load, -1);
    left.load = noLoad();
  }

  private put(shard: Shard, place: Place): void {
    this.remember(shard, place.node);
    this.places.get(shard.id)!.push(place);
    this.count(shard, place, 1);
  }

  private take(shard: Shard, node: string): Place | undefined {
    this.remember(shard, node);
    const places = this.places.get(shard.id)!;
    const index = places.findIndex((place) => place.node === node);
    const [place] = index < 0 ? [] : places.splice(index, 1);
    if (place !== undefined) this.count(shard, place, -1);
    return place;
  }

  /** Keeps what is about to change, once in a trial. */
  private remember({ id }: Shard, node: string): void {
    if (this.before === undefined) return;
    const { places, nodes } = this.before;
    if (!places.has(id)) places.set(id, [...this.placesOf(id)]);
    if (nodes.has(node)) return;
    nodes.set(node, { load: this.loadOf(node).slice(), count: this.countOn(node), bytes: this.bytesOn(node) });
  }

  private count({ size_bytes: size = 0 }: Shard, { node, load }: Place, times: 1 | -1): void {
    addLoad(this.loads.get(node)!, load, times);
    this.counts.set(node, this.countOn(node) + times);
    this.bytes.set(node, this.bytesOn(node) + times * size);
  }
}
