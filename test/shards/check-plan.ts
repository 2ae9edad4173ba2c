import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/kernel/json';
import type { DomainDecision } from '../../src/rules/domain';
import type { randomState } from './random-states';
import { NOW_MS } from './support';

/** A state's document; random ones have every field that is read here. */
export type PlannedState = ReturnType<typeof randomState> & { cluster: JsonObject };

interface Plan {
  name: string;
  settings: JsonObject;
  document: PlannedState;
  decision: DomainDecision;
  /** nodes that conditions drop */
  dropped: readonly string[];
  /** what the failure of a check names */
  where: string;
}

type Node = JsonObject & { id: string; status: string; labels: { disk: string }; capacity?: Record<string, number> };
type Shard = JsonObject & { id: string; replicas: string[]; size_bytes: number; qps: number };
interface Step {
  kind: string;
  shard: string;
  from?: string;
  to?: string;
}

/**
 * Carries out a plan on a copy of its state, and checks every step against the rules anew, by the document alone.
 *
 * @returns the state after it
 */
export function checkPlan({ name, settings, document, decision, dropped, where }: Plan): PlannedState {
  const after = structuredClone(document);
  const steps = decision.steps.map(({ kind, settings: step }): Step => ({ ...(step as unknown as Step), kind }));
  const start = greatestLoad(document);
  steps.forEach((step, at) => {
    const faults = [
      ...placeFaults(step, after, settings, dropped),
      ...sourceFaults(step, steps.slice(0, at), after),
      ...restFaults(step, steps.slice(0, at), document, settings, name),
    ];
    const apart = isolationOf(step.shard, after);
    carryOut(step, after);
    if (name === 'balance') {
      if (settings.by === 'qps' && greatestLoad(after) > start + 1e-6)
        faults.push('the load is above that of the start');
      if (isByLabels(settings) && isolationOf(step.shard, after) < apart) faults.push('replicas come nearer');
    }
    expectNone(faults, () => `${where}, step ${at} of ${JSON.stringify(steps)} under ${JSON.stringify(settings)}`);
  });
  expectNone(runFaults(steps, document, settings), () => where);
  const { max_increase: most } = (settings.budget ?? {}) as Record<string, number>;
  if (most !== undefined) expect(costOf(after) - costOf(document)).toBeLessThanOrEqual(most + 1e-9);
  return after;
}

/** What is told is worked out for a fault alone: thousands of steps are checked. */
function expectNone(faults: readonly string[], told: () => string): void {
  if (faults.length > 0) expect({ told: told(), faults }).toEqual({ faults: [] });
}

function isByLabels({ constraints }: JsonObject): boolean {
  return constraints !== undefined && 'location_labels' in (constraints as JsonObject);
}

/** By region and zone; what leaves in flight does not count. */
function isolationOf(shard: string, state: PlannedState): number {
  const leaving = state.moves.filter((move) => move.shard === shard).map(({ from }) => from);
  const held = [...shardOf(shard, state).replicas.filter((id) => !leaving.includes(id)), ...arriving(shard, state)];
  const nodes = held.map((id) => nodeOf(id, state));
  return nodes.reduce((total, one, at) => {
    const others = nodes.slice(0, at);
    const apart = others.map((other) => (one.region !== other.region ? 100 : one.zone !== other.zone ? 1 : 0));
    return apart.reduce((sum: number, score) => sum + score, total);
  }, 0);
}

/** Whether the destination may take the replica. */
function placeFaults(step: Step, state: PlannedState, settings: JsonObject, dropped: readonly string[]): string[] {
  if (step.to === undefined) return [];
  const node = nodeOf(step.to, state);
  const shard = shardOf(step.shard, state);
  const there = on(node.id, state);
  const { shards: most = Infinity, bytes = Infinity } = node.capacity ?? {};
  const size = [...there, shard].reduce((total, one) => total + one.size_bytes, 0);
  const { labels, isolation_level: isolation } = (settings.constraints ?? {}) as Record<string, JsonObject | string>;
  const zoneOf = (id: string) => `${nodeOf(id, state).region as string}/${nodeOf(id, state).zone as string}`;
  const leaving = state.moves.filter((move) => move.shard === shard.id).map(({ from }) => from);
  const beside = [...shard.replicas, ...arriving(shard.id, state)].filter(
    (id) => id !== step.from && !leaving.includes(id),
  );
  return [
    ...(node.status === 'ready' ? [] : [`${node.id} is ${node.status}`]),
    ...(dropped.includes(node.id) ? [`${node.id} is dropped`] : []),
    ...(there.some(({ id }) => id === shard.id) ? ['two replicas share a node'] : []),
    ...(there.length + 1 > most || size > bytes ? [`${node.id} has no room`] : []),
    ...(labels !== undefined && node.labels.disk !== 'ssd' ? ['is not allowed'] : []),
    ...(isolation !== undefined && beside.some((id) => zoneOf(id) === zoneOf(node.id)) ? ['shares a zone'] : []),
  ];
}

/** Whether the replica is where it is taken from, at rest, and was not moved there by the same plan. */
function sourceFaults({ shard, from }: Step, earlier: readonly Step[], state: PlannedState): string[] {
  if (from === undefined) return [];
  const isHere = shardOf(shard, state).replicas.includes(from);
  const isInFlight = state.moves.some((move) => move.shard === shard && [move.from, move.to].includes(from));
  const isSecond = earlier.some((one) => one.shard === shard && one.to === from);
  return [
    ...(isHere ? [] : [`${shard} is not on ${from}`]),
    ...(isInFlight ? [`${shard} is in flight`] : []),
    ...(isSecond ? [`${shard} moves twice`] : []),
  ];
}

/** Whether the replica may be touched: its age, what was moved lately, and what stays up. */
function restFaults(
  { kind, shard: id, from }: Step,
  earlier: readonly Step[],
  state: PlannedState,
  { minAge, cooldown, minReplicas = 0 }: JsonObject,
  name: string,
): string[] {
  if (from === undefined) return [];
  const shard = shardOf(id, state);
  const placed = shard.placed_at as string | Record<string, string> | undefined;
  const since = typeof placed === 'object' ? placed[from] : placed;
  const isYoung = minAge !== undefined && (since === undefined || NOW_MS - Date.parse(since) < 30 * 60_000);
  const moved = shard.moved_at as string | undefined;
  const isTooSoon = cooldown !== undefined && moved !== undefined && NOW_MS - Date.parse(moved) < 20 * 60_000;
  const leaves = earlier.filter((one) => one.shard === id).map((one) => one.from);
  const inFlight = state.moves.filter((move) => move.shard === id).flatMap((move) => [move.from, move.to]);
  const isUp = (node: string) => nodeOf(node, state).status !== 'down' && !inFlight.includes(node);
  const up = shard.replicas.filter((node) => isUp(node) && node !== from && !leaves.includes(node));
  const isLastUp = up.length < (minReplicas as number) && (kind === 'move' || isUp(from));
  return [
    ...(isYoung ? [`minAge of ${name}`] : []),
    ...(isTooSoon ? ['cooldown of the shard'] : []),
    ...(isLastUp ? ['minReplicas'] : []),
  ];
}

/** Limits of the whole run, over what copies a replica to a node. */
function runFaults(steps: readonly Step[], state: PlannedState, settings: JsonObject): string[] {
  const copies = steps.filter(({ to }) => to !== undefined);
  const { maxMovesPerRun, maxConcurrentMoves, maxMovesPerNode } = settings as Record<string, number | undefined>;
  const perLabel = (settings.maxMovesPerLabel ?? {}) as Record<string, number>;
  const most = (counts: Map<string, number>) => Math.max(0, ...counts.values());
  const valueOf = (node: string, key: string) =>
    key === 'zone' ? (nodeOf(node, state).zone as string) : nodeOf(node, state).labels.disk;
  const byNode = counted(copies, ({ from, to }) => [from, to].filter((id) => id !== undefined));
  const moved = state.cluster.last_moved_at as string | undefined;
  const isCooling = settings.cooldown !== undefined && moved !== undefined && NOW_MS - Date.parse(moved) < 20 * 60_000;
  return [
    ...(copies.length > (maxMovesPerRun ?? Infinity) ? ['maxMovesPerRun'] : []),
    ...(copies.length > 0 && copies.length + state.moves.length > (maxConcurrentMoves ?? Infinity)
      ? ['maxConcurrentMoves']
      : []),
    ...(most(byNode) > (maxMovesPerNode ?? Infinity) ? ['maxMovesPerNode'] : []),
    ...Object.entries(perLabel).flatMap(([key, limit]) => {
      const byLabel = counted(copies, ({ from, to }) => [
        ...new Set([from, to].flatMap((id) => (id === undefined ? [] : [valueOf(id, key)]))),
      ]);
      return most(byLabel) > limit ? [`maxMovesPerLabel ${key}`] : [];
    }),
    ...(isCooling && steps.length > 0 ? ['cooldown of the cluster'] : []),
  ];
}

function counted(steps: readonly Step[], keysOf: (step: Step) => string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of steps.flatMap(keysOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function carryOut({ shard: id, from, to }: Step, state: PlannedState): void {
  const shard = shardOf(id, state);
  shard.replicas = [...shard.replicas.filter((node) => node !== from), ...(to === undefined ? [] : [to])];
}

/** Shards that take a place on a node: those there, and those on their way to it. */
function on(node: string, state: PlannedState): Shard[] {
  return (state.shards as Shard[]).filter(
    ({ id, replicas }) => replicas.includes(node) || arriving(id, state).includes(node),
  );
}

function arriving(shard: string, state: PlannedState): string[] {
  return state.moves.filter((move) => move.shard === shard).map(({ to }) => to as string);
}

/** Of ready nodes, by qps; what is in flight counts at its destination. */
function greatestLoad(state: PlannedState): number {
  const ready = (state.nodes as Node[]).filter(({ status }) => status === 'ready');
  const loads = ready.map(({ id }) =>
    on(id, state).reduce((total, shard) => {
      const isLeaving = state.moves.some((move) => move.shard === shard.id && move.from === id);
      return isLeaving ? total : total + shard.qps;
    }, 0),
  );
  return Math.max(0, ...loads);
}

function costOf(state: PlannedState): number {
  const used = (state.nodes as Node[]).filter(({ id }) => on(id, state).length > 0);
  return used.reduce((total, { cost_per_hour: cost = 0 }) => total + (cost as number), 0);
}

function nodeOf(id: string, state: PlannedState): Node {
  return (state.nodes as Node[]).find((node) => node.id === id)!;
}

function shardOf(id: string, state: PlannedState): Shard {
  return (state.shards as Shard[]).find((shard) => shard.id === id)!;
}
