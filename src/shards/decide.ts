import type { JsonObject } from '../kernel/json';
import type { DomainDecision, DomainQuestion, WantedAction } from '../rules/domain';
import type { RuleAction } from '../rules/document/rule-policy';
import { contradictionOf, mergedAction } from './actions/merge-actions';
import type {
  BalanceSettings,
  CostOptimizationSettings,
  MigrationSettings,
  PlacementSettings,
  ReplicationSettings,
} from './actions/schemas';
import type { ActionDecision, DecisionContext } from './decisions/context';
import { decideBalance } from './decisions/decide-balance';
import { decideCost } from './decisions/decide-cost';
import { decideMigration } from './decisions/decide-migration';
import { decideReplication } from './decisions/decide-replication';
import { decidePlacement } from './decisions/decide-placement';
import { arrangementAfter, ownState, type OwnState } from './evaluation/own-state';
import type { Arrangement } from './model/arrangement';
import { toDomainStep } from './model/domain-step';
import type { ShardStep } from './model/step';
import type { DroppedNodes } from './placement/rank';

type Decide = (settings: JsonObject, context: DecisionContext) => ActionDecision;

const DECISIONS: Readonly<Record<string, Decide>> = {
  placement: (settings, context) => decidePlacement(settings as unknown as PlacementSettings, context),
  migration: (settings, context) => decideMigration(settings as unknown as MigrationSettings, context),
  replication: (settings, context) => decideReplication(settings as unknown as ReplicationSettings, context),
  cost_optimization: (settings, context) => decideCost(settings as unknown as CostOptimizationSettings, context),
  balance: (settings, context) => decideBalance(settings as unknown as BalanceSettings, context),
};

/**
 * What actions of shard policies come to for one subject. Actions of one name that do not contradict each other are decided
 * together: what both require holds, and a node that either drops is dropped.
 */
export function decideShardActions(question: DomainQuestion): DomainDecision {
  const { state, earlier = [] } = question;
  const own = ownState(state);
  const { arrangement, moves: earlierMoves } = arrangementAfter(earlier, own);
  return arrangement.trial(() => decideOn(arrangement, earlierMoves, question, own));
}

function decideOn(
  arrangement: Arrangement,
  earlierMoves: readonly ShardStep[],
  { subject, state, actions }: DomainQuestion,
  { state: cluster, shard: asked }: OwnState,
): DomainDecision {
  const shard = subject.id ?? asked;
  const source = subject.names?.source;
  // The steps of an action count for the actions after it too; those of the question belong to others.
  const movesSoFar = [...earlierMoves];
  const decisions = joined(actions).map(({ wanted, index }) => {
    const decision = DECISIONS[wanted.action.name]!(wanted.action.settings, {
      nowMs: state.evaluation.nowMs,
      state: cluster,
      arrangement,
      earlierMoves: movesSoFar,
      ...(shard === undefined ? {} : { shard }),
      ...(source === undefined ? {} : { source }),
      dropped: droppedBy(wanted),
    });
    movesSoFar.push(...decision.steps);
    return {
      ...decision,
      steps: decision.steps.map((step) => toDomainStep(step, index)),
      terms: decision.terms.map((term) => ({ ...term, action: index })),
    };
  });
  return {
    candidates: (decisions[0]?.candidates ?? []).map(({ parts, ...candidate }) => ({
      ...candidate,
      ...(parts === undefined ? {} : { scoreParts: parts as Record<string, number> }),
    })),
    steps: decisions.flatMap(({ steps }) => steps),
    refusals: decisions.flatMap(({ refusals }) => refusals),
    terms: decisions.flatMap(({ terms }) => terms),
  };
}

/** The nodes that the conditions of the policies drop, each with why. */
export function droppedBy({ candidates = [] }: WantedAction): DroppedNodes {
  return new Map(candidates.filter(({ kept }) => !kept).map(({ id, reason }) => [id, reason]));
}

/** Actions that are decided together, each with the index of the first of them. */
export function joined(actions: readonly WantedAction[]): { wanted: WantedAction; index: number }[] {
  const groups: { wanted: WantedAction; index: number }[] = [];
  actions.forEach((action, index) => {
    const same = groups.find(({ wanted }) => isJoinable(wanted.action, action.action));
    if (same === undefined) groups.push({ wanted: action, index });
    else same.wanted = join(same.wanted, action);
  });
  return groups;
}

function isJoinable(one: RuleAction, other: RuleAction): boolean {
  return one.name === other.name && contradictionOf(one, other) === undefined;
}

function join(one: WantedAction, other: WantedAction): WantedAction {
  const candidates = [...(one.candidates ?? []), ...(other.candidates ?? [])];
  return {
    policies: [...one.policies, ...other.policies],
    action: mergedAction(one.action, other.action),
    ...(candidates.length === 0 ? {} : { candidates }),
  };
}
