import type { Goal } from '../kinds/goal';
import type { Plan } from '../kinds/plan';
import { firstMismatch, type LabelSelector } from '../selectors/label-selector';
import { compareVersions, UNREADABLE } from '../versions/version';
import { claimsOf, type Candidate, type Choice } from './choose-plan';

/** The step that dropped a plan, or `chosen`. */
export type Step = 'planSelector' | 'series' | 'supersedes' | 'version' | 'chosen';

/** What became of one plan of a goal. */
export interface PlanVerdict {
  plan: string;
  series?: string;
  version?: string;
  step: Step;
  /** why, as the end of a sentence that begins with the plan's name */
  because: string;
  /** what else is to know of it: a version that cannot be read, claims that do not count */
  notes: string[];
}

/** How the plan of a goal was chosen. */
export interface Explanation {
  goal: { name: string; namespace: string };
  /** the plan that the rules choose now */
  winner?: string;
  /** the plan that the goal has and keeps, since it executes or has ended */
  pinned?: string;
  /** the winner first, then by how far each came, then by name */
  plans: PlanVerdict[];
}

const STEPS: readonly Step[] = ['chosen', 'version', 'supersedes', 'series', 'planSelector'];

/** Each plan of a goal with the step that dropped or chose it. */
export function explainChoice(
  goal: Goal,
  choice: Choice,
  { pinned, active }: { pinned: boolean; active?: string },
): Explanation {
  const { name, namespace } = goal.metadata;
  const { winner, selected, heads, superseded, cycles } = choice;
  const candidates = new Map(selected.map((candidate) => [candidate.plan, candidate]));
  const headOf = new Map(heads.map((head) => [head.plan.spec.series, head]));
  const headNames = new Set(heads.map(({ plan }) => plan.metadata.name));
  const plans = choice.ofGoal.map((plan): PlanVerdict => {
    const candidate = candidates.get(plan);
    const verdict = verdictOf(plan, candidate);
    return {
      plan: plan.metadata.name,
      ...(plan.spec.series === undefined ? {} : { series: plan.spec.series }),
      ...(plan.spec.version === undefined ? {} : { version: plan.spec.version }),
      ...verdict,
      notes: [...versionNotes(plan, candidate), ...claimNotes(plan, candidate)],
    };
  });
  plans.sort((a, b) => STEPS.indexOf(a.step) - STEPS.indexOf(b.step) || (a.plan < b.plan ? -1 : 1));
  return {
    goal: { name, namespace },
    ...(winner === undefined ? {} : { winner: winner.plan.metadata.name }),
    ...(pinned && active !== undefined ? { pinned: active } : {}),
    plans,
  };

  function verdictOf(plan: Plan, candidate: Candidate | undefined): Pick<PlanVerdict, 'step' | 'because'> {
    if (candidate === undefined) {
      const why = firstMismatch(goal.spec.planSelector as LabelSelector | undefined, plan.metadata.labels);
      return { step: 'planSelector', because: `does not match the goal's planSelector: ${why}` };
    }
    const head = headOf.get(plan.spec.series)!;
    if (head !== candidate) {
      const of =
        plan.spec.series === undefined ? 'the plans without a series' : `series ${JSON.stringify(plan.spec.series)}`;
      return { step: 'series', because: `is not the head of ${of}: ${beaten(candidate, head)}` };
    }
    const by = superseded.get(candidate);
    if (by !== undefined) return { step: 'supersedes', because: `is superseded by ${by.plan.metadata.name}` };
    if (candidate === winner) return { step: 'chosen', because: 'is the greatest version of those that are left' };
    return { step: 'version', because: `is not the greatest of those that are left: ${beaten(candidate, winner!)}` };
  }

  function claimNotes(plan: Plan, candidate: Candidate | undefined): string[] {
    const claims = claimsOf(plan);
    const elsewhere = (plan.spec.supersedes?.length ?? 0) - claims.length;
    const notes =
      elsewhere === 0 ? [] : ['it names plans without a name or in another namespace in supersedes: they do not count'];
    if (claims.length === 0) return notes;
    const isHead = candidate !== undefined && headOf.get(plan.spec.series) === candidate;
    if (!isHead)
      return [
        ...notes,
        `its claim to supersede ${claims.join(', ')} was not considered: it is not the head of its series`,
      ];
    const cycle = cycles.find((names) => names.includes(plan.metadata.name)) ?? [];
    const ignored = claims.filter((claim) => cycle.includes(claim));
    const absent = claims.filter((claim) => !headNames.has(claim));
    return [
      ...notes,
      ...(ignored.length === 0
        ? []
        : [`its claim to supersede ${ignored.join(', ')} does not count: they supersede one another`]),
      ...(absent.length === 0
        ? []
        : [`it supersedes ${absent.join(', ')}, which is not the head of a series of this goal`]),
    ];
  }
}

/** One sentence for people: `Plan a of goal prod/g is not active: it is superseded by b.` */
export function whySentence({ goal, pinned, winner, plans }: Explanation, plan: string): string {
  const of = `goal ${goal.namespace}/${goal.name}`;
  const found = plans.find((each) => each.plan === plan);
  if (found === undefined) return `Plan ${plan} does not name ${of} in spec.goalRef, or is not in its namespace.`;
  const notes = found.notes.map((note) => `; ${note}`).join('');
  if (pinned !== undefined) {
    if (pinned === plan)
      return `Plan ${plan} is the active plan of ${of}, which keeps it while it executes and after${notes}.`;
    const otherwise = plan === winner ? 'it would be chosen now' : `it ${found.because}`;
    return `Plan ${plan} is not the active plan of ${of}: the goal keeps ${pinned} while it executes and after; ${otherwise}${notes}.`;
  }
  if (found.step === 'chosen') return `Plan ${plan} is the active plan of ${of}: it ${found.because}${notes}.`;
  return `Plan ${plan} is not the active plan of ${of}: it ${found.because}${notes}.`;
}

function versionNotes({ spec }: Plan, candidate: Candidate | undefined): string[] {
  if (candidate?.version !== UNREADABLE) return [];
  return [`its version ${JSON.stringify(spec.version)} cannot be read, and ranks below every other`];
}

function beaten(one: Candidate, other: Candidate): string {
  const { name } = other.plan.metadata;
  if (compareVersions(one.version, other.version) !== 0) {
    return `${name} has the greater version, ${shown(other)} against ${shown(one)}`;
  }
  const isNewer = one.plan.metadata.creationTimestamp !== other.plan.metadata.creationTimestamp;
  return `${name} has an equal version and ${isNewer ? 'is newer' : 'the greater name'}`;
}

function shown({ plan: { spec } }: Candidate): string {
  return spec.version ?? 'none';
}
