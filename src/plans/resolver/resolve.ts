import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json';
import { GoalPhase, type Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { choosePlan, type Choice } from './choose-plan';
import { conditionOf, EXECUTED, TIMED_OUT, withCondition } from './conditions';
import { explainChoice, type Explanation } from './explain';

/** Reasons of the condition `PlanResolved`. */
export const Resolved = {
  PlanFound: 'PlanFound',
  NoPlanFound: 'NoPlanFound',
  NoPlanMatchesSelector: 'NoPlanMatchesSelector',
} as const;
export type Resolved = (typeof Resolved)[keyof typeof Resolved];

/** The conditions of a goal that nobody but the controller writes. */
export const CONTROLLER_CONDITIONS = ['PlanResolved', 'SupersedesCycle', 'PlanChanged', TIMED_OUT, EXECUTED] as const;

export interface ResolveOptions {
  /** epoch milliseconds, for the `lastTransitionTime` of conditions that change */
  nowMs: number;
  /** resolves a goal that is executing or at its end as if it were new */
  again?: boolean;
  /** the execution of the goal that is under way; one of another plan than the goal's changes nothing */
  execution?: { name: string; plan: string } | undefined;
}

/** What a goal's status is to be. */
export interface Resolution {
  /** the whole status; the goal's own one, and the same object, when nothing is to be written */
  status: JsonObject;
  /** whether the goal's status has to be written */
  changed: boolean;
  result: Resolved;
  /** the plan that the rules choose now, which a pinned goal does not follow */
  winner?: string;
  /** the goal executes or has ended: its phase and its plan stay */
  pinned: boolean;
  /** each plan of the goal and the step that dropped or chose it; made when it is asked for */
  explain(): Explanation;
}

/** Phases that no resolution changes: an execution is under way or has ended, or somebody gave the goal up. */
const PINNED: readonly unknown[] = [GoalPhase.Executing, GoalPhase.Succeeded, GoalPhase.Failed, GoalPhase.Cancelled];

/**
 * The status that a goal is to have, given the plans. It reads no clock and does no I/O, and takes time in proportion to the
 * plans that it is given: `createPlanIndex` has those of one goal.
 *
 * While a goal executes or has ended, its phase and its `activePlanRef` stay, and the condition `PlanChanged` names the plan
 * that would win now; a new generation of the goal brings it back to resolution. While an execution of its plan is under way that
 * generation waits, and `PlanChanged` says so: the end of the execution is then that of the generation that it was begun for. A
 * goal without `activePlanRef` is resolved in any phase.
 *
 * @param plans in any order; those of other goals and namespaces are passed over
 */
export function resolve(
  goal: Goal,
  plans: Iterable<Plan>,
  { nowMs, again = false, execution }: ResolveOptions,
): Resolution {
  const choice = choosePlan(goal, plans);
  const winner = choice.winner?.plan.metadata.name;
  const result =
    winner !== undefined
      ? Resolved.PlanFound
      : choice.ofGoal.length === 0
        ? Resolved.NoPlanFound
        : Resolved.NoPlanMatchesSelector;
  const before: JsonObject = isJsonObject(goal.status) ? (goal.status as JsonObject) : NO_STATUS;
  const generation = goal.metadata.generation ?? 1;
  const { observedGeneration } = before;
  const isNew = typeof observedGeneration === 'number' && observedGeneration < generation;
  const active = nameIn(before.activePlanRef);
  const isExecuted = active !== undefined && execution?.plan === active;
  const keepsPhase = isExecuted || (!again && !isNew && PINNED.includes(before.phase));
  /** the newest generation that the status is of */
  const observed = isExecuted && isNew ? observedGeneration : generation;
  const pinned = keepsPhase && active !== undefined;

  const plan = pinned ? active : winner;
  const ref = plan === undefined ? undefined : { name: plan, namespace: goal.metadata.namespace };
  const phase = keepsPhase ? before.phase! : ref === undefined ? GoalPhase.Pending : GoalPhase.Ready;
  const say = (
    conditions: Conditions,
    type: string,
    isTrue: boolean,
    reason: string,
    message: string,
    of = observed,
  ): Conditions =>
    withCondition(
      conditions as JsonValue | undefined,
      { type, status: isTrue ? 'True' : 'False', reason, message, observedGeneration: of },
      nowMs,
    );
  let conditions: Conditions = before.conditions as Conditions;
  conditions = say(
    conditions,
    'PlanResolved',
    ref !== undefined,
    ref === undefined ? result : Resolved.PlanFound,
    messageOf(plan, choice),
  );
  if (choice.cycles.length > 0) {
    conditions = say(conditions, 'SupersedesCycle', true, 'CycleFound', cycleMessage(choice.cycles));
  } else if (has(conditions, 'SupersedesCycle')) {
    conditions = say(conditions, 'SupersedesCycle', false, 'NoCycle', 'No plans of the goal supersede one another');
  }
  const now = winner === undefined ? 'no plan would be resolved' : `plan '${winner}' would be resolved`;
  if (observed !== generation) {
    const message = `Generation ${generation} of the goal waits for the end of execution '${execution!.name}'; now ${now}`;
    conditions = say(conditions, 'PlanChanged', true, 'GenerationWaits', message, generation);
  } else if (pinned && winner !== active) {
    conditions = say(
      conditions,
      'PlanChanged',
      true,
      winner === undefined ? 'PlanGone' : 'OtherPlanFound',
      `The goal stays with plan '${active}', but now ${now}`,
    );
  } else if (has(conditions, 'PlanChanged')) {
    conditions = say(
      conditions,
      'PlanChanged',
      false,
      'PlanCurrent',
      'The goal has the plan that would be resolved now',
    );
  }

  const changed =
    before.phase !== phase ||
    observedGeneration !== observed ||
    conditions !== before.conditions ||
    !isSameRef(before.activePlanRef, ref);
  const explain = (): Explanation =>
    explainChoice(goal, choice, { pinned, ...(active === undefined ? {} : { active }) });
  const said = { result, pinned, explain, ...(winner === undefined ? {} : { winner }) };
  if (!changed) return { status: before, changed, ...said };
  const { activePlanRef: _dropped, ...rest } = before;
  const status = {
    ...rest,
    phase,
    ...(ref === undefined ? {} : { activePlanRef: ref }),
    conditions: conditions as JsonValue[],
    observedGeneration: observed,
  };
  return { status, changed, ...said };
}

type Conditions = readonly JsonValue[] | undefined;

const NO_STATUS: JsonObject = {};

function messageOf(plan: string | undefined, { ofGoal }: Choice): string {
  if (plan !== undefined) return `Plan '${plan}' resolved for goal`;
  if (ofGoal.length === 0) return 'No matching plan found for goal';
  return ofGoal.length === 1
    ? "The goal's only plan does not match its planSelector"
    : `None of the goal's ${ofGoal.length} plans matches its planSelector`;
}

function cycleMessage(cycles: Choice['cycles']): string {
  const each = cycles.map((names) =>
    names.length === 1 ? `plan ${names[0]} supersedes itself` : `plans ${names.join(', ')} supersede one another`,
  );
  const text = each.join('; ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}: these claims do not count`;
}

function has(conditions: Conditions, type: string): boolean {
  return conditionOf(conditions as JsonValue | undefined, type) !== undefined;
}

function nameIn(ref: JsonValue | undefined): string | undefined {
  return isJsonObject(ref) && typeof ref.name === 'string' ? ref.name : undefined;
}

function isSameRef(found: JsonValue | undefined, wanted: { name: string; namespace: string } | undefined): boolean {
  if (found === undefined || wanted === undefined) return found === wanted;
  return (
    isJsonObject(found) &&
    found.name === wanted.name &&
    found.namespace === wanted.namespace &&
    Object.keys(found).length === 2
  );
}
