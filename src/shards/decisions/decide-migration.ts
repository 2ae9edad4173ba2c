import { MEASURES } from '../actions/parts';
import type { MigrationSettings } from '../actions/schemas';
import type { Arrangement } from '../model/arrangement';
import type { ShardStep } from '../model/step';
import { MoveLimits, type Move } from '../moves/move-limits';
import { bestFirst, rankNodes, type RankedNode } from '../placement/rank';
import { toPlacementRules, type PlacementRules } from '../placement/rules';
import { rulesRefusal } from '../placement/rules-refusal';
import { measuresOf } from '../placement/score';
import { NodeStatus } from '../state/cluster-state';
import { budgetRefusal } from './budget';
import type { ActionDecision, DecisionContext } from './context';
import { greatestOverMean, termsOf, termValues } from './terms';

/** A replica that is to leave its node, and why. */
interface Leaving {
  shard: string;
  from: string;
  why: string;
}

/**
 * A new node for each replica that is to leave its own: the one that the conditions are true of, or, where none is named, those on
 * nodes that are not ready and those on nodes above a trigger, until these are below it. Where no node has room, one replica is
 * moved out of the way.
 */
export function decideMigration(settings: MigrationSettings, context: DecisionContext): ActionDecision {
  const { arrangement, dropped, state, nowMs, shard, source } = context;
  const rules = toPlacementRules(settings);
  const wanted = {
    ...(shard === undefined ? {} : { shard: arrangement.shard(shard)! }),
    ...(source === undefined ? {} : { leaving: source }),
  };
  const candidates = rankNodes(wanted, arrangement, rules, dropped);
  const shards = shard === undefined ? arrangement.allShards().map(({ id }) => id) : [shard];
  const before = termValues(arrangement, rules, shards);
  const limits = new MoveLimits(settings, state, nowMs, context.earlierMoves);
  const steps: ShardStep[] = [];
  const refusals = rulesRefusal(rules);
  for (const leaving of refusals.length > 0 ? [] : replicasThatLeave(settings, context)) {
    if (!isStillThere(leaving, arrangement) || !isStillAbove(settings, leaving, arrangement)) continue;
    const refusal = limits.runRefusal() ?? limits.shardRefusal(leaving.shard, leaving.from);
    if (refusal !== undefined) {
      refusals.push(`${leaving.shard} stays on ${leaving.from}: ${refusal}`);
      continue;
    }
    const found = findPlace(leaving, settings, rules, context, limits);
    if ('refusal' in found) refusals.push(`${leaving.shard} stays on ${leaving.from}: ${found.refusal}`);
    else steps.push(...found.steps);
  }
  const after = termValues(arrangement, rules, shards);
  return { candidates, steps, refusals, terms: termsOf(before, after, rules, steps.length) };
}

function replicasThatLeave(settings: MigrationSettings, { arrangement, shard, source }: DecisionContext): Leaving[] {
  if (shard !== undefined && source !== undefined) {
    return [{ shard, from: source, why: `the conditions hold for ${shard} on ${source}` }];
  }
  const measure = MEASURES.indexOf(measuresOf(toPlacementRules(settings), arrangement)[0]!);
  const found = arrangement.allShards().flatMap(({ id }) => {
    if (shard !== undefined && id !== shard) return [];
    return arrangement.placesOf(id).flatMap(({ node, phase, load }): (Leaving & { load: number })[] => {
      const { status } = arrangement.node(node);
      const trigger = triggered(settings, node, arrangement);
      if (phase !== 'here' || (status === NodeStatus.ready && trigger === undefined)) return [];
      const why = status === NodeStatus.ready ? trigger! : `${node} is ${status}`;
      return [{ shard: id, from: node, why, load: load[measure]! }];
    });
  });
  // Those that relieve most go first, so that few have to.
  return found.sort((one, other) => other.load - one.load || (one.shard < other.shard ? -1 : 1));
}

/** Which trigger a node is above. */
function triggered({ triggers }: MigrationSettings, node: string, arrangement: Arrangement): string | undefined {
  const load = arrangement.loadOf(node);
  const found = triggers?.find(({ metric, above }) => load[MEASURES.indexOf(metric)]! > above);
  return found && `${found.metric} of ${node} is above ${found.above}`;
}

/** It may have been moved out of the way of another one. */
function isStillThere({ shard, from }: Leaving, arrangement: Arrangement): boolean {
  return arrangement.placesOf(shard).some(({ node, phase }) => node === from && phase === 'here');
}

/** A node that is ready and that earlier moves have brought below every trigger keeps the rest. */
function isStillAbove(settings: MigrationSettings, { from }: Leaving, arrangement: Arrangement): boolean {
  if (settings.triggers === undefined || arrangement.node(from).status !== NodeStatus.ready) return true;
  return triggered(settings, from, arrangement) !== undefined;
}

function findPlace(
  leaving: Leaving,
  settings: MigrationSettings,
  rules: PlacementRules,
  context: DecisionContext,
  limits: MoveLimits,
): { steps: ShardStep[] } | { refusal: string } {
  const { arrangement, dropped } = context;
  const ranked = rankNodes(
    { shard: arrangement.shard(leaving.shard)!, leaving: leaving.from },
    arrangement,
    rules,
    dropped,
  );
  const reasons: string[] = [];
  for (const { id } of bestFirst(ranked)) {
    const refusal = tryMoves([toStep(leaving, id)], settings, rules, context, limits);
    if (refusal === undefined) return { steps: [toStep(leaving, id)] };
    reasons.push(`${id}: ${refusal}`);
  }
  const freed = withRoomMade(leaving, ranked, settings, rules, context, limits);
  if (freed !== undefined) return { steps: freed };
  const others = ranked.filter(({ kept }) => !kept && reasons.length < 10);
  const why = [...reasons, ...others.map(({ id, reason }) => `${id} ${reason}`)];
  return { refusal: `no node is possible: ${why.slice(0, 10).join('; ')}` };
}

/** Carries moves out in the arrangement; where one is refused it takes them back and says why. */
function tryMoves(
  steps: readonly ShardStep[],
  settings: MigrationSettings,
  rules: PlacementRules,
  { arrangement }: DecisionContext,
  limits: MoveLimits,
): string | undefined {
  const counted: Move[] = [];
  let refusal: string | undefined;
  for (const { shard, from, to } of steps) {
    const move = { shard, from: from!, to: to! };
    refusal = limits.refusal(move);
    if (refusal !== undefined) break;
    limits.count(move);
    counted.push(move);
  }
  if (refusal === undefined) {
    const measures = measuresOf(rules, arrangement);
    const uneven = greatestOverMean(arrangement, measures);
    const cost = arrangement.cost();
    for (const step of steps) arrangement.apply(step);
    refusal =
      budgetRefusal(rules.budget, cost, arrangement.cost()) ??
      steps.map(({ to }) => triggered(settings, to!, arrangement)).find(Boolean) ??
      improvementRefusal(settings, steps, uneven, greatestOverMean(arrangement, measures), arrangement);
    if (refusal === undefined) return undefined;
    for (const step of [...steps].reverse()) arrangement.undo(step);
  }
  for (const move of counted) limits.uncount(move);
  return refusal;
}

/** A replica on a node that is not ready has to leave it, whatever that does to the load. */
function improvementRefusal(
  { minImprovement }: MigrationSettings,
  steps: readonly ShardStep[],
  before: number,
  after: number,
  arrangement: Arrangement,
): string | undefined {
  const isForced = steps.some(({ from }) => arrangement.node(from!).status !== NodeStatus.ready);
  if (minImprovement === undefined || isForced || 100 * (before - after) >= minImprovement) return undefined;
  return `minImprovement: the greatest load over the mean would fall by less than ${minImprovement} percentage points`;
}

/** A move to a node that has no room, after another replica has left that node for a third one. */
function withRoomMade(
  leaving: Leaving,
  ranked: readonly RankedNode[],
  settings: MigrationSettings,
  rules: PlacementRules,
  context: DecisionContext,
  limits: MoveLimits,
): ShardStep[] | undefined {
  const { arrangement, dropped } = context;
  const full = ranked.filter(({ id, reason }) => reason.startsWith('has no room') && !dropped.has(id));
  for (const { id: to } of full) {
    for (const other of arrangement.allShards()) {
      const place = arrangement.placesOf(other.id).find(({ node, phase }) => node === to && phase === 'here');
      if (place === undefined || limits.shardRefusal(other.id, to) !== undefined) continue;
      const thirds = bestFirst(rankNodes({ shard: other, leaving: to }, arrangement, rules, dropped));
      for (const { id: third } of thirds.filter(({ id }) => id !== leaving.from)) {
        const away: ShardStep = {
          kind: 'move',
          shard: other.id,
          from: to,
          to: third,
          sentence: `move ${other.id} from ${to} to ${third}: it makes room for ${leaving.shard}`,
        };
        if (!makesRoom(away, leaving, to, rules, context)) break;
        const steps = [away, toStep(leaving, to)];
        if (tryMoves(steps, settings, rules, context, limits) === undefined) return steps;
      }
    }
  }
  return undefined;
}

/** Whether the node can take the replica that leaves once another one has left it; the third node does not matter. */
function makesRoom(
  away: ShardStep,
  { shard, from }: Leaving,
  to: string,
  rules: PlacementRules,
  { arrangement, dropped }: DecisionContext,
): boolean {
  arrangement.apply(away);
  const ranked = rankNodes({ shard: arrangement.shard(shard)!, leaving: from }, arrangement, rules, dropped);
  arrangement.undo(away);
  return ranked.some(({ id, kept }) => id === to && kept);
}

function toStep({ shard, from, why }: Leaving, to: string): ShardStep {
  return { kind: 'move', shard, from, to, sentence: `move ${shard} from ${from} to ${to}: ${why}` };
}
