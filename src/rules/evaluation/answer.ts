import type { RulePolicy } from '../document/rule-policy';
import type { DomainState, DomainStep, RuleDomain, ScoredCandidate, TermChange, WantedAction } from '../domain';
import type { ChosenAction, Conflict } from './conflicts';
import { evaluatePolicies, type EvaluatedPolicy, type Evaluation, type EvaluationOptions } from './evaluate-policies';
import type { CandidateResult, Subject } from './evaluation-state';

export interface AnswerOptions extends EvaluationOptions {
  /** whether the candidates of each policy are scored as if it were alone; @default true */
  scores?: boolean;
}

/** What one policy came to, with its own actions. */
export interface PolicyAnswer extends Omit<EvaluatedPolicy, 'candidates'> {
  subject: Subject;
  type: string;
  /** the settings of the policy's own actions, by name; what they come to with those of others is in `actions` of the whole */
  actions: RulePolicy['actions'];
  /** where its conditions or its actions choose: each with its score under this policy alone */
  candidates?: readonly ScoredCandidate[];
}

/** An action that is left once conflicts are settled, with the steps that it comes to. */
export interface DecidedAction extends ChosenAction {
  subject: Subject;
  steps: DomainStep[];
  /** each term of the objective before and after the steps; empty where the domain has none */
  terms: TermChange[];
}

/** Why what matched policies ask for cannot be done. */
export interface Refusal {
  subject: Subject;
  policies: string[];
  sentence: string;
}

/** What policies come to over one state: the same for the same policies, state and options. */
export interface RulesAnswer {
  results: PolicyAnswer[];
  conflicts: (Conflict & { subject: Subject })[];
  /** in the order in which they are carried out */
  actions: DecidedAction[];
  refusals: Refusal[];
}

/**
 * Evaluates policies over a state, settles their conflicts and has the domain decide what the actions come to, one subject
 * after the other: each decision counts the steps of those before it.
 *
 * @param policies in the order of evaluation, as `readPolicies` gives them
 */
export function answerRules(
  policies: readonly RulePolicy[],
  state: DomainState,
  domain: RuleDomain,
  options: AnswerOptions = {},
): RulesAnswer {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const answer: RulesAnswer = { results: [], conflicts: [], actions: [], refusals: [] };
  const earlier: DomainStep[] = [];
  const { operation } = options;
  const evaluations = evaluatePolicies(policies, state.subjects, state.evaluation, domain, options);
  const questionOf = (subject: Subject) => ({ ...(operation === undefined ? {} : { operation }), subject, state });
  for (const { subject, results, conflicts } of evaluations) {
    const question = questionOf(subject);
    for (const result of results) {
      const policy = byName.get(result.policy)!;
      const isScored = options.scores !== false && (result.matched || result.preview);
      const scored = isScored
        ? domain.decide({ ...question, actions: policy.actions.map((action) => wanted([result], action)) }).candidates
        : [];
      answer.results.push(toPolicyAnswer(policy, result, subject, scored));
    }
    answer.conflicts.push(...conflicts.map((conflict) => ({ ...conflict, subject })));
  }
  for (const { subject, results, actions } of inOrder(evaluations, domain)) {
    const asked = actions.map(({ policies: names, action }) =>
      wanted(
        results.filter(({ policy }) => names.includes(policy)),
        action,
      ),
    );
    const question = { ...questionOf(subject), actions: asked, earlier };
    const { steps, refusals, terms = [] } = domain.decide(question);
    earlier.push(...steps);
    actions.forEach((action, at) =>
      answer.actions.push({
        ...action,
        subject,
        steps: steps.filter((step) => step.action === at),
        terms: terms.flatMap(({ action: of, ...term }) => (of === at ? [term] : [])),
      }),
    );
    const policiesAsked = [...new Set(actions.flatMap((action) => action.policies))];
    answer.refusals.push(...refusals.map((sentence) => ({ subject, policies: policiesAsked, sentence })));
  }
  return answer;
}

/** What is to be done, by the priorities that actions have; of equal ones the order stays. */
function inOrder(evaluations: readonly Evaluation[], { priorityOf = () => 0 }: RuleDomain): Evaluation[] {
  const acting = evaluations.filter(({ actions }) => actions.length > 0);
  const sorted = acting.map((evaluation) => {
    const actions = evaluation.actions
      .map((chosen) => ({ chosen, priority: priorityOf(chosen.action) }))
      .sort((one, other) => other.priority - one.priority);
    return { ...evaluation, actions: actions.map(({ chosen }) => chosen), priority: actions[0]!.priority };
  });
  return sorted.sort((one, other) => other.priority - one.priority);
}

function toPolicyAnswer(
  policy: RulePolicy,
  { candidates, ...result }: EvaluatedPolicy,
  subject: Subject,
  scored: readonly ScoredCandidate[],
): PolicyAnswer {
  const shown = scored.length > 0 ? scored : candidates?.map(({ id, kept, reason }) => ({ id, kept, reason }));
  return {
    ...result,
    subject,
    type: policy.type,
    actions: policy.actions,
    ...(shown === undefined ? {} : { candidates: shown }),
  };
}

/** An action with what the conditions of all policies that ask for it leave of the candidates. */
function wanted(results: readonly EvaluatedPolicy[], action: RulePolicy['actions'][number]): WantedAction {
  const policies = results.map(({ policy }) => policy);
  const choosing = results.flatMap(({ policy, candidates }) =>
    candidates === undefined ? [] : [{ policy, candidates }],
  );
  if (choosing.length === 0) return { policies, action };
  const [{ candidates: first }] = choosing as [(typeof choosing)[number]];
  // All were evaluated over the same candidates, in the same order.
  const candidates = first.map((_candidate, at): CandidateResult => {
    const dropping = choosing.find((one) => !one.candidates[at]!.kept);
    const candidate = (dropping ?? choosing[0]!).candidates[at]!;
    if (dropping === undefined || choosing.length === 1) return candidate;
    return { ...candidate, reason: `${dropping.policy}: ${candidate.reason}` };
  });
  return { policies, action, candidates };
}
