import { parseTime } from '../../kernel/time';
import { componentsOf } from '../graph/components';
import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { matchesSelector, type LabelSelector } from '../selectors/label-selector';
import { compareVersions, readVersion, type ReadVersion } from '../versions/version';

/** A plan with what orders it. */
export interface Candidate {
  plan: Plan;
  version: ReadVersion;
}

/** What each step of the choice left. */
export interface Choice {
  /** those that name the goal, from its own namespace */
  ofGoal: readonly Plan[];
  /** those of them that its selector takes */
  selected: readonly Candidate[];
  /** the greatest of each series */
  heads: readonly Candidate[];
  /** heads that another head supersedes, each with one that does: of several, the least by name */
  superseded: ReadonlyMap<Candidate, Candidate>;
  /** heads that supersede one another, by name; the claims among them do not count */
  cycles: readonly (readonly string[])[];
  winner?: Candidate;
}

/**
 * The plan of a goal: of the plans that name it and that its selector takes, the greatest of each series; without those that
 * another of these supersedes; of the rest the greatest. Takes time in proportion to the plans.
 */
export function choosePlan(goal: Goal, plans: Iterable<Plan>): Choice {
  const selector = goal.spec.planSelector as LabelSelector | undefined;
  const ofGoal: Plan[] = [];
  const selected: Candidate[] = [];
  for (const plan of plans) {
    if (!namesGoal(plan, goal)) continue;
    ofGoal.push(plan);
    if (selector === undefined || matchesSelector(selector, plan.metadata.labels)) {
      selected.push({ plan, version: readVersion(plan.spec.version) });
    }
  }
  const heads = headsOf(selected);
  const { superseded, cycles } = supersededAmong(heads);
  let winner: Candidate | undefined;
  for (const head of heads) {
    if (!superseded.has(head) && (winner === undefined || compareCandidates(head, winner) > 0)) winner = head;
  }
  return { ofGoal, selected, heads, superseded, cycles, ...(winner === undefined ? {} : { winner }) };
}

/** Whether a plan is for a goal: in its namespace, by its name, and not pointing into another namespace. */
export function namesGoal({ metadata, spec }: Plan, goal: Goal): boolean {
  const { name, namespace } = goal.metadata;
  if (metadata.namespace !== namespace || spec.goalRef?.name !== name) return false;
  return spec.goalRef.namespace === undefined || spec.goalRef.namespace === namespace;
}

/**
 * Orders two plans: the greater version, then the newer one, then the greater name. Positive where `one` comes first. No two
 * plans of a namespace are equal, so no answer is left to chance.
 */
export function compareCandidates(one: Candidate, other: Candidate): number {
  const byVersion = compareVersions(one.version, other.version);
  if (byVersion !== 0) return byVersion;
  const [a, b] = [one.plan.metadata, other.plan.metadata];
  const byAge = compareTimes(a.creationTimestamp, b.creationTimestamp);
  if (byAge !== 0) return byAge;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}

/** The later time is greater; one that is absent or no time is before all others. Digits below the millisecond count. */
function compareTimes(one: unknown, other: unknown): number {
  if (one === other) return 0;
  const [a, b] = [parseTime(one) ?? -Infinity, parseTime(other) ?? -Infinity];
  if (a !== b) return a < b ? -1 : 1;
  const [fine, fineOther] = [fractionOf(one), fractionOf(other)];
  return fine === fineOther ? 0 : fine < fineOther ? -1 : 1;
}

/** The digits of a second's fraction, of one length for all. */
function fractionOf(time: unknown): string {
  const [, digits = ''] = typeof time === 'string' ? (/\.(\d+)/.exec(time) ?? []) : [];
  return digits.padEnd(9, '0');
}

function headsOf(selected: readonly Candidate[]): Candidate[] {
  const heads = new Map<string | undefined, Candidate>();
  for (const candidate of selected) {
    const { series } = candidate.plan.spec;
    const head = heads.get(series);
    if (head === undefined || compareCandidates(candidate, head) > 0) heads.set(series, candidate);
  }
  return [...heads.values()];
}

/** The names that a plan supersedes in its own namespace. */
export function claimsOf({ metadata, spec }: Plan): string[] {
  return (spec.supersedes ?? []).flatMap(({ name, namespace }) =>
    name === undefined || (namespace !== undefined && namespace !== metadata.namespace) ? [] : [name],
  );
}

function supersededAmong(heads: readonly Candidate[]): Pick<Choice, 'superseded' | 'cycles'> {
  const superseded = new Map<Candidate, Candidate>();
  if (!heads.some(({ plan }) => (plan.spec.supersedes?.length ?? 0) > 0)) return { superseded, cycles: [] };
  // In the order of names, so that what is said of them does not depend on the order of the plans.
  const sorted = [...heads].sort((a, b) => (a.plan.metadata.name < b.plan.metadata.name ? -1 : 1));
  const places = new Map(sorted.map(({ plan }, place) => [plan.metadata.name, place]));
  const targets = sorted.map(({ plan }) => claimsOf(plan).flatMap((name) => places.get(name) ?? []));
  const components = componentsOf(sorted.length, (head) => targets[head]!);
  const componentOf = new Int32Array(sorted.length);
  components.forEach((members, component) => members.forEach((head) => (componentOf[head] = component)));
  targets.forEach((named, head) => {
    for (const target of named) {
      if (componentOf[target] === componentOf[head] || superseded.has(sorted[target]!)) continue;
      superseded.set(sorted[target]!, sorted[head]!);
    }
  });
  const cycles = components
    .filter((members) => members.length > 1 || targets[members[0]!]!.includes(members[0]!))
    .map((members) => members.sort((a, b) => a - b).map((head) => sorted[head]!.plan.metadata.name))
    .sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
  return { superseded, cycles };
}
