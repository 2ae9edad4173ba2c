import { MEASURES, Strategy } from '../actions/parts';
import type { CostOptimizationSettings } from '../actions/schemas';
import type { Arrangement } from '../model/arrangement';
import type { ShardStep } from '../model/step';
import { MoveLimits, type Move } from '../moves/move-limits';
import { bestFirst, rankNodes } from '../placement/rank';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { measuresOf } from '../placement/score';
import { NodeStatus } from '../state/cluster-state';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { termsOf, termValues } from './terms';

/** How full a node may become by what it takes, in percent. */
const DEFAULT_MAX_UTILIZATION = 80;

/**
 * Empties nodes, the one that saves most for each replica first, into nodes that are in use anyway. A node is emptied whole or not
 * at all, and costs nothing then.
 */
export function decideCost(settings: CostOptimizationSettings, context: DecisionContext): ActionDecision {
  const { arrangement, dropped, state, nowMs } = context;
  const rules = toPlacementRules({ strategy: Strategy.most_loaded, ...settings });
  const candidates = rankNodes({}, arrangement, rules, dropped);
  const before = termValues(arrangement, rules, []);
  const cost = arrangement.cost();
  const limits = new MoveLimits(settings, state, nowMs, context.earlierMoves);
  const steps: ShardStep[] = [];
  const refusals = rulesRefusal(rules);
  if (refusals.length === 0) {
    for (const node of worthEmptying(arrangement)) {
      const emptied = empty(node, settings, rules, context, limits);
      if (typeof emptied === 'string') refusals.push(`${node} is not emptied: ${emptied}`);
      else steps.push(...emptied);
    }
  }
  const { min_saving: least = 0 } = settings;
  const saved = cost.perHour - arrangement.cost().perHour;
  const overBudget = budgetRefusal(rules.budget, cost, arrangement.cost());
  const isTooLittle = steps.length > 0 && saved < least;
  if (isTooLittle || overBudget !== undefined) {
    for (const step of [...steps].reverse()) arrangement.undo(step);
    refusals.push(overBudget ?? `min_saving: ${steps.length} moves would save ${saved} an hour, less than ${least}`);
    steps.length = 0;
  }
  const after = termValues(arrangement, rules, []);
  const saving = { name: 'cost', weight: 1, before: before.cost!, after: after.cost! };
  return { candidates, steps, refusals, terms: [saving, ...termsOf(before, after, rules, steps.length)] };
}

/** Nodes in use that cost something, the one that saves most for each of its replicas first. */
function worthEmptying(arrangement: Arrangement): string[] {
  const worth = ({ id, cost_per_hour: cost = 0 }: { id: string; cost_per_hour?: number }) =>
    cost / arrangement.countOn(id);
  const used = arrangement.nodes.filter(
    ({ id, status, cost_per_hour: cost = 0 }) => status === NodeStatus.ready && cost > 0 && arrangement.countOn(id) > 0,
  );
  return used.sort((one, other) => worth(other) - worth(one) || (one.id < other.id ? -1 : 1)).map(({ id }) => id);
}

function empty(
  from: string,
  settings: CostOptimizationSettings,
  rules: PlacementRules,
  { arrangement, dropped, shard: only }: DecisionContext,
  limits: MoveLimits,
): ShardStep[] | string {
  const held = arrangement.allShards().flatMap((shard) => {
    const place = arrangement.placesOf(shard.id).find(({ node }) => node === from);
    return place === undefined ? [] : [{ shard, place }];
  });
  const steps: ShardStep[] = [];
  const takeBack = (why: string): string => {
    for (const step of [...steps].reverse()) {
      arrangement.undo(step);
      limits.uncount(moveOf(step));
    }
    return why;
  };
  for (const { shard, place } of held) {
    if (only !== undefined && shard.id !== only) return takeBack(`it holds ${shard.id} too`);
    if (place.phase !== 'here') return takeBack(`${shard.id} is on the move`);
    const ranked = rankNodes({ shard, leaving: from }, arrangement, rules, dropped);
    const worth = bestFirst(ranked).filter(({ id }) => id !== from && isWorthFilling(id, from, arrangement));
    // Of nodes that are not in use the cheapest: the next run would only move it there.
    const extraCost = (id: string) => (arrangement.countOn(id) > 0 ? 0 : arrangement.node(id).cost_per_hour!);
    const possible = worth.sort((one, other) => extraCost(one.id) - extraCost(other.id));
    const to = possible.find(
      ({ id }) =>
        limits.refusal({ shard: shard.id, from, to: id }) === undefined &&
        hasHeadRoom(id, shard.id, settings, rules, arrangement),
    );
    if (to === undefined) {
      const limit = possible.map(({ id }) => limits.refusal({ shard: shard.id, from, to: id })).find(Boolean);
      const full = `no node in use can take ${shard.id} within max_utilization ${utilization(settings)}`;
      return takeBack(limit ?? full);
    }
    const step: ShardStep = {
      kind: 'move',
      shard: shard.id,
      from,
      to: to.id,
      sentence: `move ${shard.id} from ${from} to ${to.id}: ${from} is emptied and saves ${arrangement.node(from).cost_per_hour} an hour`,
    };
    limits.count(moveOf(step));
    arrangement.apply(step);
    steps.push(step);
  }
  return steps;
}

function moveOf({ shard, from, to }: ShardStep): Move {
  return { shard, from: from!, to: to! };
}

/** A node that is in use, or that costs less than the one that is emptied. */
function isWorthFilling(id: string, from: string, arrangement: Arrangement): boolean {
  const [cost, saved] = [id, from].map((node) => arrangement.node(node).cost_per_hour);
  return arrangement.countOn(id) > 0 || (cost !== undefined && cost < saved!);
}

function utilization({ max_utilization: most = DEFAULT_MAX_UTILIZATION }: CostOptimizationSettings): number {
  return most;
}

/** Whether a node stays below `max_utilization` in each usage that is known, and in its room. */
function hasHeadRoom(
  id: string,
  shard: string,
  settings: CostOptimizationSettings,
  rules: PlacementRules,
  arrangement: Arrangement,
): boolean {
  const most = utilization(settings);
  const extra = arrangement.expectedLoad(arrangement.shard(shard));
  const isBelow = measuresOf(rules, arrangement).every((measure) => {
    const at = MEASURES.indexOf(measure);
    const isPercent = measure !== 'qps' && measure !== 'shards';
    return !isPercent || arrangement.loadOf(id)[at]! + extra[at]! <= most;
  });
  const { shards = Infinity, bytes = Infinity } = arrangement.node(id).capacity;
  const size = arrangement.shard(shard)!.size_bytes ?? 0;
  return (
    isBelow &&
    100 * (arrangement.countOn(id) + 1) <= most * shards &&
    100 * (arrangement.bytesOn(id) + size) <= most * bytes
  );
}
