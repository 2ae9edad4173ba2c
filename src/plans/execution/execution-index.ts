import type { PlanObject } from '../object';
import { goalNameOf, underWayOf, type UnderWay } from './pinned-plan';
import { isRunByGate } from './plan-run';

/** A goal's place. */
interface GoalPlace {
  namespace: string;
  name: string;
}

/** Executions that are under way by their goals, kept up to date one by one. */
export interface ExecutionIndex {
  /** the execution of a goal that is under way; of a goal there is one at a time */
  of(goal: GoalPlace): UnderWay | undefined;
  /** Takes a new or changed execution, or forgets one. @returns its goal, where it is under way by this, or no more */
  take(execution: PlanObject, isGone?: boolean): GoalPlace | undefined;
}

/** An index of the executions among these objects; those that have ended, and those that the gate does not run, are passed over. */
export function createExecutionIndex(objects: Iterable<PlanObject> = []): ExecutionIndex {
  /** by the goal's place, and then by the execution's name */
  const goals = new Map<string, Map<string, UnderWay>>();
  const take = (execution: PlanObject, isGone = false): GoalPlace | undefined => {
    const goal = isRunByGate(execution) ? goalNameOf(execution) : undefined;
    if (goal === undefined) return undefined;
    const { namespace, name } = execution.metadata;
    const place = { namespace, name: goal };
    const ofGoal = goals.get(keyOf(place)) ?? new Map<string, UnderWay>();
    const had = ofGoal.delete(name);
    const underWay = isGone ? undefined : underWayOf(execution);
    if (underWay !== undefined) ofGoal.set(name, underWay);
    if (ofGoal.size === 0) goals.delete(keyOf(place));
    else goals.set(keyOf(place), ofGoal);
    return had === (underWay !== undefined) ? undefined : place;
  };
  for (const object of objects) take(object);
  return {
    take,
    of: (goal) => {
      const [first] = goals.get(keyOf(goal))?.values() ?? [];
      return first;
    },
  };
}

function keyOf({ namespace, name }: GoalPlace): string {
  return `${namespace}/${name}`;
}
