import type { RulePolicy } from '../document/rule-policy';
import type { ConflictRule, RuleDomain } from '../domain';
import { settleConflicts, type ChosenAction, type Conflict } from './conflicts';
import { evaluatePolicy, reads, type PolicyResult } from './evaluate-policy';
import type { EvaluationState, Subject } from './evaluation-state';
import { isPreview, skipReason, type Question } from './select';

/** What one policy came to for one subject. */
export interface EvaluatedPolicy extends PolicyResult {
  /** true, its dependencies matched too, and in force */
  matched: boolean;
  /** true and its dependencies matched, but not in force at this time */
  preview: boolean;
  /** dependencies that did not match */
  unmet: string[];
}

/** What all policies together came to for one subject. */
export interface Evaluation {
  subject?: string;
  results: EvaluatedPolicy[];
  conflicts: Conflict[];
  actions: ChosenAction[];
}

export interface EvaluationOptions {
  operation?: Question['operation'];
  /** only these are reported, beside what decides on them; @default all */
  policies?: readonly string[];
  /** over those of the domain, by type */
  conflicts?: Readonly<Record<string, ConflictRule>>;
}

/**
 * Every policy that is for the operation, over every subject. A policy that neither reads nor names anything of a subject is
 * evaluated once, for none. Same policies, same state, same answer: nothing here looks at a clock or rolls dice.
 *
 * @param policies in the order of evaluation, without cycles among their dependencies
 */
export function evaluatePolicies(
  policies: readonly RulePolicy[],
  subjects: readonly Subject[],
  state: EvaluationState,
  domain: RuleDomain,
  options: EvaluationOptions = {},
): Evaluation[] {
  const general = policies.filter((policy) => !isOfSubjects(policy, domain));
  const ofSubjects = policies.filter((policy) => isOfSubjects(policy, domain));
  const none: Subject = { labels: {}, metrics: {} };
  const forNone = new Evaluator(policies, none, state, domain);
  const first = evaluationOf(forNone, general, none, domain, options);
  const others = subjects.map((subject) =>
    evaluationOf(new Evaluator(policies, subject, state, domain, forNone), ofSubjects, subject, domain, options),
  );
  return [first, ...others].filter(({ results }) => results.length > 0);
}

/** Whether a policy has a result for each subject: it reads one, or names labels that a subject must have. */
export function isOfSubjects(policy: RulePolicy, domain: RuleDomain): boolean {
  return reads(policy, domain.prefixes.subject) || Object.keys(policy.scope.labels ?? {}).length > 0;
}

function evaluationOf(
  evaluator: Evaluator,
  policies: readonly RulePolicy[],
  subject: Subject,
  domain: RuleDomain,
  { operation, policies: wanted, conflicts }: EvaluationOptions,
): Evaluation {
  const asked = policies.filter(
    (policy) =>
      (wanted === undefined || wanted.includes(policy.name)) &&
      skipReason(policy, { operation, labels: subject.labels }, domain) === undefined,
  );
  const results = asked.map((policy) => evaluator.result(policy));
  const matched = asked.filter((_policy, index) => results[index]!.matched);
  const id = subject.id === undefined ? {} : { subject: subject.id };
  return { ...id, results, ...settleConflicts(matched, domain, conflicts) };
}

/** The policies over one subject, each evaluated once at most, however many depend on it. */
class Evaluator {
  private readonly results = new Map<string, EvaluatedPolicy>();
  private readonly byName: ReadonlyMap<string, RulePolicy>;

  constructor(
    policies: readonly RulePolicy[],
    private readonly subject: Subject,
    private readonly state: EvaluationState,
    private readonly domain: RuleDomain,
    /** where policies that are not of subjects have their results */
    private readonly general?: Evaluator,
  ) {
    this.byName = new Map(policies.map((policy) => [policy.name, policy]));
  }

  result(policy: RulePolicy): EvaluatedPolicy {
    if (this.general !== undefined && !isOfSubjects(policy, this.domain)) return this.general.result(policy);
    let result = this.results.get(policy.name);
    if (result === undefined) {
      const evaluated = evaluatePolicy(policy, this.subject, this.state, this.domain);
      const unmet = policy.dependsOn.filter((name) => !this.isMet(name));
      const holds = evaluated.outcome === 'true' && unmet.length === 0;
      const isInForce = !isPreview(policy, this.state.nowMs);
      result = { ...evaluated, matched: holds && isInForce, preview: holds && !isInForce, unmet };
      this.results.set(policy.name, result);
    }
    return result;
  }

  /** Whatever operation a dependency is for; one that is disabled, or not for this subject's labels, never matches. */
  private isMet(name: string): boolean {
    const policy = this.byName.get(name);
    if (policy === undefined || skipReason(policy, { labels: this.subject.labels }, this.domain) !== undefined)
      return false;
    return this.result(policy).matched;
  }
}
