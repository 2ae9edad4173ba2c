import type { Plan } from '../kinds/plan';

/** A goal's place. */
export interface GoalPlace {
  name: string;
  namespace: string;
}

/** Plans by the goal that they name, kept up to date plan by plan. */
export interface PlanIndex {
  /** the plans that name a goal, in no particular order */
  plansOf(goal: GoalPlace): Iterable<Plan>;
  /** takes a new or changed plan. @returns the goals whose answer may be another now */
  put(plan: Plan): GoalPlace[];
  /** forgets a plan. @returns the goals whose answer may be another now */
  remove(plan: GoalPlace): GoalPlace[];
}

/** Plans of one goal: a list at first, by name once one of them changes. */
type Group = Plan[] | Map<string, Plan>;

interface Namespace {
  /** by the name of the goal */
  groups: Map<string, Group>;
  /** the goal that each plan names, by the plan's name; made when the first plan changes, since a full pass needs it not */
  goals?: Map<string, string>;
}

/** An index of these plans, each of which is there once; each is looked at once. */
export function createPlanIndex(plans: Iterable<Plan> = []): PlanIndex {
  const namespaces = groupPlans(plans);
  return {
    plansOf({ name, namespace }) {
      const group = namespaces.get(namespace)?.groups.get(name) ?? [];
      return Array.isArray(group) ? group : group.values();
    },
    put(plan) {
      const { name, namespace } = plan.metadata;
      let within = namespaces.get(namespace);
      if (within === undefined) namespaces.set(namespace, (within = { groups: new Map() }));
      const was = leave(within, name);
      const is = goalOf(plan);
      if (is === undefined) return placesOf(namespace, was);
      goalsIn(within).set(name, is);
      byName(within, is).set(name, plan);
      return placesOf(namespace, was, is);
    },
    remove({ name, namespace }) {
      const within = namespaces.get(namespace);
      if (within === undefined) return [];
      const was = leave(within, name);
      if (within.groups.size === 0) namespaces.delete(namespace);
      return placesOf(namespace, was);
    },
  };
}

function groupPlans(plans: Iterable<Plan>): Map<string, Namespace> {
  const namespaces = new Map<string, Namespace>();
  for (const plan of plans) {
    const goal = goalOf(plan);
    if (goal === undefined) continue;
    const { namespace } = plan.metadata;
    let within = namespaces.get(namespace);
    if (within === undefined) namespaces.set(namespace, (within = { groups: new Map() }));
    const group = within.groups.get(goal) as Plan[] | undefined;
    if (group === undefined) within.groups.set(goal, [plan]);
    else group.push(plan);
  }
  return namespaces;
}

/** The name of the goal that a plan names, in its own namespace; whether it may is for `resolve` to say. */
function goalOf({ spec }: Plan): string | undefined {
  const name: unknown = spec.goalRef?.name;
  return typeof name === 'string' ? name : undefined;
}

function goalsIn(within: Namespace): Map<string, string> {
  if (within.goals !== undefined) return within.goals;
  const goals = new Map<string, string>();
  for (const [goal, group] of within.groups) for (const plan of group.values()) goals.set(plan.metadata.name, goal);
  return (within.goals = goals);
}

function byName({ groups }: Namespace, goal: string): Map<string, Plan> {
  const group = groups.get(goal) ?? [];
  if (!Array.isArray(group)) return group;
  const named = new Map(group.map((plan) => [plan.metadata.name, plan]));
  groups.set(goal, named);
  return named;
}

/** Takes a plan out of its group. @returns the goal that it named */
function leave(within: Namespace, plan: string): string | undefined {
  const goals = goalsIn(within);
  const goal = goals.get(plan);
  if (goal === undefined) return undefined;
  goals.delete(plan);
  const group = byName(within, goal);
  group.delete(plan);
  if (group.size === 0) within.groups.delete(goal);
  return goal;
}

function placesOf(namespace: string, was: string | undefined, is = was): GoalPlace[] {
  const names = was === is ? [was] : [was, is];
  return names.flatMap((name) => (name === undefined ? [] : [{ name, namespace }]));
}
