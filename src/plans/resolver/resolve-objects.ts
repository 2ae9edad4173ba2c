import { deadlocks } from '../graph/graph-faults';
import { toPlanGraph } from '../graph/plan-graph';
import { createExecutionIndex } from '../execution/execution-index';
import type { Execution } from '../kinds/execution';
import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { API_VERSION, byPlace, type PlanObject } from '../object';
import { whySentence, type Explanation } from './explain';
import { withTimeout } from './goal-timeout';
import { createPlanIndex } from './plan-index';
import { resolve } from './resolve';

/** Goals of a set of objects. */
export function goalsOf(objects: readonly PlanObject[]): Goal[] {
  return objects.filter(({ kind }) => kind === 'Goal') as unknown as Goal[];
}

/** Plans of a set of objects. */
export function plansOf(objects: readonly PlanObject[]): Plan[] {
  return objects.filter(({ kind }) => kind === 'Plan') as unknown as Plan[];
}

/** Executions of a set of objects. */
export function executionsOf(objects: readonly PlanObject[]): Execution[] {
  return objects.filter(({ kind }) => kind === 'Execution') as unknown as Execution[];
}

/** Goals with their resolved status, as `kubectl` and PlanSpec's clients list them. */
export interface GoalList {
  apiVersion: string;
  kind: 'GoalList';
  items: Goal[];
}

/** The goals of a set of objects with their resolved status, as `gate plans resolve` prints them: in order of their place. */
export function resolveObjects(objects: readonly PlanObject[], nowMs: number): GoalList {
  const index = createPlanIndex(plansOf(objects));
  const executions = createExecutionIndex(objects);
  const items = goalsOf(objects)
    .sort(byPlace)
    .map((goal): Goal => {
      const { metadata } = goal;
      const execution = executions.of(metadata);
      const { status } = resolve(goal, index.plansOf(metadata), { nowMs, execution });
      return { ...goal, status: withTimeout(goal, status, nowMs) };
    });
  return { apiVersion: API_VERSION, kind: 'GoalList', items };
}

/** Sentences about plans that are valid, and that no execution could complete. */
export function unexecutable(objects: readonly PlanObject[]): string[] {
  return plansOf(objects).flatMap(({ metadata, spec }) =>
    deadlocks(toPlanGraph(spec.graph)).map((why) => `Plan ${metadata.namespace}/${metadata.name}: ${why}`),
  );
}

/** What `explain` and `why` say of a goal that is in a set of objects; undefined where it is not. */
export function explainIn(
  objects: readonly PlanObject[],
  place: { name: string; namespace: string },
  nowMs: number,
): Explanation | undefined {
  const goal = goalsOf(objects).find(
    ({ metadata }) => metadata.name === place.name && metadata.namespace === place.namespace,
  );
  const execution = createExecutionIndex(objects).of(place);
  return goal && resolve(goal, plansOf(objects), { nowMs, execution }).explain();
}

/**
 * Why a plan is not the active one of a goal, in one sentence; a plan that does not name the goal is told apart from one that
 * is not there.
 *
 * @returns undefined where the goal is not among the objects
 */
export function whyIn(
  objects: readonly PlanObject[],
  place: { name: string; namespace: string },
  plan: string,
  nowMs: number,
): string | undefined {
  const explanation = explainIn(objects, place, nowMs);
  if (explanation === undefined) return undefined;
  if (explanation.plans.some((each) => each.plan === plan)) return whySentence(explanation, plan);
  const found = plansOf(objects).filter(({ metadata }) => metadata.name === plan);
  const here = found.find(({ metadata }) => metadata.namespace === place.namespace);
  return `Plan ${plan} is not a plan of goal ${place.namespace}/${place.name}: ${strangerReason(here ?? found[0], place)}.`;
}

function strangerReason(plan: Plan | undefined, { name, namespace }: { name: string; namespace: string }): string {
  if (plan === undefined) return 'there is no such plan';
  if (plan.metadata.namespace !== namespace) return `it is in namespace ${plan.metadata.namespace}`;
  const { goalRef } = plan.spec;
  if (goalRef?.name === undefined) return 'it names no goal in spec.goalRef';
  if (goalRef.name !== name) return `it names the goal ${goalRef.name} in spec.goalRef`;
  return `its spec.goalRef names a goal in namespace ${goalRef.namespace}`;
}

/** The explanation of a goal for a terminal: one plan a line, the chosen one first, its notes below it. */
export function explanationText({ goal, winner, pinned, plans }: Explanation): string {
  const active = pinned ?? winner;
  const head = `Goal ${goal.namespace}/${goal.name}: ${active === undefined ? 'no active plan' : `active plan ${active}`}`;
  const keeps = pinned === undefined ? '' : ', which it keeps while it executes and after';
  const changed = pinned === undefined || pinned === winner ? '' : `; ${winner ?? 'no plan'} would be chosen now`;
  const lines = plans.flatMap(({ plan, series, version, because, notes }) => {
    const labels = [
      series === undefined ? undefined : `series ${series}`,
      version === undefined ? undefined : `version ${version}`,
    ];
    const known = labels.filter((label) => label !== undefined);
    return [
      `  ${plan}${known.length === 0 ? '' : ` (${known.join(', ')})`} ${because}`,
      ...notes.map((note) => `    ${note}`),
    ];
  });
  return `${[`${head}${keeps}${changed}`, ...(lines.length === 0 ? ['  no plan names it'] : lines)].join('\n')}\n`;
}
