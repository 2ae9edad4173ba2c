import type { RulePolicy } from '../document/rule-policy';
import type { ConflictRule, RuleDomain } from '../domain';
import type { PolicyIndex } from '../matching/policy-index';
import { settleConflicts, type ChosenAction, type Conflict } from './conflicts';
import { evaluatePolicy, isOfSubjects, type PolicyResult } from './evaluate-policy';
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
  subject: Subject;
  results: EvaluatedPolicy[];
  conflicts: Conflict[];
  actions: ChosenAction[];
}

export interface EvaluationOptions {
  operation?: Question['operation'];
  /** only these are evaluated, beside what decides on them; @default all */
  policies?: readonly string[];
  /** over those of the domain, by type */
  conflicts?: Readonly<Record<string, ConflictRule>>;
  /**
   * Whether every policy is evaluated for each subject, those too that read none; @default false: such a policy is evaluated
   * once, for no subject
   */
  ofSubjectsAlone?: boolean;
  /** of the same policies: then only those that hold are evaluated and reported; @default all are */
  index?: PolicyIndex;
}

const NO_SUBJECT: Subject = { labels: {}, metrics: {} };

/**
 * Every policy that is for the operation, over every subject. Same policies, same state, same answer: nothing here looks at a
 * clock or rolls dice.
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
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const evaluatorOf = (subject: Subject, general?: Evaluator) =>
    new Evaluator(byName, subject, state, domain, options, general);
  if (options.ofSubjectsAlone === true) {
    return subjects.map((subject) => evaluatorOf(subject).evaluation(policies)).filter(hasResults);
  }
  const forNone = evaluatorOf(NO_SUBJECT);
  const first = forNone.evaluation(policies.filter((policy) => !isOfSubjects(policy, domain)));
  const ofSubjects = policies.filter((policy) => isOfSubjects(policy, domain));
  if (ofSubjects.length === 0) return [first].filter(hasResults);
  const others = subjects.map((subject) => evaluatorOf(subject, forNone).evaluation(ofSubjects));
  return [first, ...others].filter(hasResults);
}

function hasResults({ results }: Evaluation): boolean {
  return results.length > 0;
}

/** The policies over one subject, each evaluated once at most, however many depend on it. */
class Evaluator {
  private readonly results = new Map<string, EvaluatedPolicy>();
  /** names of the policies that hold; undefined where that was not asked of an index */
  private readonly holding?: ReadonlySet<string>;

  constructor(
    private readonly byName: ReadonlyMap<string, RulePolicy>,
    private readonly subject: Subject,
    private readonly state: EvaluationState,
    private readonly domain: RuleDomain,
    private readonly options: EvaluationOptions,
    /** where policies that are not of subjects have their results */
    private readonly general?: Evaluator,
  ) {
    const { index } = options;
    if (index !== undefined) this.holding = new Set(index.holding(subject, state).map(({ name }) => name));
  }

  /** @param policies in the order of evaluation */
  evaluation(policies: readonly RulePolicy[]): Evaluation {
    const { operation, policies: wanted, conflicts } = this.options;
    const question = { operation, labels: this.subject.labels };
    const asked = policies.filter(
      (policy) =>
        this.mayHold(policy) &&
        (wanted === undefined || wanted.includes(policy.name)) &&
        skipReason(policy, question, this.domain) === undefined,
    );
    const results = asked.map((policy) => this.result(policy));
    const matched = asked.filter((_policy, index) => results[index]!.matched);
    return { subject: this.subject, results, ...settleConflicts(matched, this.domain, conflicts) };
  }

  /** With a stack of its own: a chain of dependencies may be longer than the thread's. */
  private result(policy: RulePolicy): EvaluatedPolicy {
    const stack = [policy];
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const open = this.known(top) === undefined ? this.dependencies(top).filter((one) => !this.known(one)) : [];
      if (open.length > 0) stack.push(...open);
      else {
        stack.pop();
        if (this.known(top) === undefined) this.evaluate(top);
      }
    }
    return this.known(policy)!;
  }

  private evaluate(policy: RulePolicy): void {
    if (this.isGeneral(policy)) {
      this.general!.result(policy);
      return;
    }
    const evaluated = evaluatePolicy(policy, this.subject, this.state, this.domain);
    const met = new Set(this.dependencies(policy).filter((one) => this.known(one)!.matched));
    const unmet = policy.dependsOn.filter((name) => !met.has(this.byName.get(name)!));
    const holds = evaluated.outcome === 'true' && unmet.length === 0;
    const isInForce = !isPreview(policy, this.state.nowMs);
    this.results.set(policy.name, { ...evaluated, matched: holds && isInForce, preview: holds && !isInForce, unmet });
  }

  private known(policy: RulePolicy): EvaluatedPolicy | undefined {
    return (this.isGeneral(policy) ? this.general! : this).results.get(policy.name);
  }

  /** Those that may match, whatever operation they are for: not one that is disabled, or not for this subject's labels. */
  private dependencies(policy: RulePolicy): RulePolicy[] {
    return policy.dependsOn
      .map((name) => this.byName.get(name)!)
      .filter(
        (one) => this.mayHold(one) && skipReason(one, { labels: this.subject.labels }, this.domain) === undefined,
      );
  }

  private mayHold(policy: RulePolicy): boolean {
    const { holding } = this.isGeneral(policy) ? this.general! : this;
    return holding?.has(policy.name) ?? true;
  }

  private isGeneral(policy: RulePolicy): boolean {
    return this.general !== undefined && !isOfSubjects(policy, this.domain);
  }
}
