import type { Role } from '../actions/parts';
import type { Arrangement } from '../model/arrangement';
import type { ShardStep } from '../model/step';
import type { MoveLimits } from '../moves/move-limits';
import type { Shard } from '../state/cluster-state';
import { keptNodes, type Wanted } from './barriers';
import { fitReplicas, wantedRoles, type RoleFit } from './fit';
import { bestFirst, NONE_DROPPED, rankNodes, type DroppedNodes, type RankedNode } from './rank';
import type { PlacementRules } from './rules';

/** What a placement came to: all replicas that the shard lacks, or none and why. */
export interface Placed {
  steps: ShardStep[];
  refusals: string[];
}

/** Nodes that are tried for the replicas of one shard before the search ends. */
const MOST_TRIED = 20_000;

/**
 * Nodes for the replicas that a shard lacks, each the best that is left; where that leaves none for the last ones, the next best
 * are tried. The steps are carried out in the arrangement.
 *
 * @param factor replicas that there are to be, over the rules' own number
 * @param limits of a run; the additions are counted there
 */
export function placeShard(
  shard: Shard,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes = NONE_DROPPED,
  factor?: number,
  limits?: MoveLimits,
): Placed {
  const roles = wantedRoles(rules, factor);
  const fit = fitReplicas(shard, arrangement, rules, roles);
  const slots = fit.roles.flatMap((role) => Array.from({ length: role.count - role.nodes.length }, () => role));
  if (slots.length === 0) return { steps: [], refusals: [] };
  // The roles that fewest nodes can take are served first.
  const choices = (slot: RoleFit) => rankNodes(wantedFor(shard, slot), arrangement, rules, dropped);
  const kept = new Map(slots.map((slot) => [slot, bestFirst(choices(slot)).length]));
  slots.sort((one, other) => kept.get(one)! - kept.get(other)!);
  const search: Search = { left: MOST_TRIED, steps: [], ...(limits === undefined ? {} : { limits }) };
  const isPossible = Math.max(...kept.values()) >= slots.length;
  if (isPossible && fill(shard, slots, 0, arrangement, rules, dropped, search))
    return { steps: search.steps, refusals: [] };
  const there = roles.reduce((total, { count }) => total + count, 0) - slots.length;
  return { steps: [], refusals: [tooFew(shard, roles, there, choices(slots[0]!), search)] };
}

interface Search {
  /** nodes that may still be tried */
  left: number;
  steps: ShardStep[];
  limits?: MoveLimits;
  /** the first limit that forbade a node */
  limited?: string;
}

function wantedFor(shard: Shard, { constraints }: RoleFit): Wanted {
  return { shard, constraints };
}

function fill(
  shard: Shard,
  slots: readonly RoleFit[],
  at: number,
  arrangement: Arrangement,
  rules: PlacementRules,
  dropped: DroppedNodes,
  search: Search,
): boolean {
  const slot = slots[at];
  if (slot === undefined) return true;
  const wanted = wantedFor(shard, slot);
  for (const candidate of bestFirst(rankNodes(wanted, arrangement, rules, dropped))) {
    if (search.left <= 0) return false;
    search.left -= 1;
    if (!leavesRegions(shard, candidate.id, slots.length - at - 1, arrangement, rules)) continue;
    const limited = search.limits?.additionRefusal(shard.id, candidate.id);
    if (limited !== undefined) {
      search.limited ??= limited;
      continue;
    }
    const step = addition(shard, candidate, slot, rules);
    arrangement.apply(step);
    search.limits?.count({ shard: shard.id, to: candidate.id });
    search.steps.push(step);
    if (fill(shard, slots, at + 1, arrangement, rules, dropped, search)) return true;
    search.steps.pop();
    search.limits?.uncount({ shard: shard.id, to: candidate.id });
    arrangement.undo(step);
  }
  return false;
}

/** Whether, with this node, the replicas that are still to come can reach `min_regions`. */
function leavesRegions(
  shard: Shard,
  id: string,
  left: number,
  arrangement: Arrangement,
  { minRegions }: PlacementRules,
): boolean {
  if (minRegions === undefined) return true;
  const nodes = [...keptNodes({ shard }, arrangement), arrangement.node(id)];
  const regions = new Set(nodes.filter(({ status }) => status === 'ready').map(({ region }) => region));
  return regions.size + left >= minRegions;
}

function addition(shard: Shard, { id, parts }: RankedNode, { role }: RoleFit, rules: PlacementRules): ShardStep {
  const why = Object.entries(parts ?? {})
    .map(([term, part]) => `${term} ${part.toFixed(2)}`)
    .join(', ');
  const named = rules.roles === undefined ? {} : { role };
  return {
    kind: 'add',
    shard: shard.id,
    to: id,
    ...named,
    sentence: `put a replica of ${shard.id} on ${id}: the best by ${rules.strategy} (${why})`,
  };
}

function tooFew(
  shard: Shard,
  roles: readonly Role[],
  there: number,
  ranked: readonly RankedNode[],
  { left, limited }: Search,
): string {
  const wanted = roles.reduce((total, { count }) => total + count, 0);
  const possible = bestFirst(ranked).map(({ id }) => id);
  const dropped = ranked.filter(({ kept }) => !kept);
  const shown = dropped.slice(0, 10).map(({ id, reason }) => `${id} ${reason}`);
  if (dropped.length > shown.length) shown.push(`${dropped.length - shown.length} more`);
  const nodes = possible.length === 0 ? 'no node is possible' : `possible: ${possible.slice(0, 10).join(', ')}`;
  return (
    `${shard.id} has ${there} of ${wanted} replicas and needs ${wanted - there} more; ${nodes}` +
    (shown.length === 0 ? '' : `; ${shown.join('; ')}`) +
    (limited === undefined ? '' : `; ${limited}`) +
    (left <= 0 ? `; ${MOST_TRIED} nodes were tried` : '')
  );
}
