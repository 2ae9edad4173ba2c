import type { JsonObject } from '../../kernel/json';
import { explainCondition, missingMetrics, type ExplainedCondition } from '../conditions/explain-condition';
import type { Truth } from '../conditions/truth';
import { anyOf } from '../conditions/truth';
import { prefixesRead } from '../conditions/metrics-read';
import type { RulePolicy } from '../document/rule-policy';
import type { RuleDomain } from '../domain';
import { decidingSentence } from './deciding-sentence';
import type { CandidateResult, EvaluationState, Subject } from './evaluation-state';

export interface PolicyResult {
  policy: string;
  outcome: Truth;
  /** the whole tree; for a policy that reads candidates, that of the first one kept, else of the first unknown, else of the first */
  conditions: ExplainedCondition;
  missing: string[];
  /** only for a policy that reads candidates */
  candidates?: CandidateResult[];
}

/** Whether a policy is evaluated for each candidate. */
export function isOfCandidates({ conditions }: RulePolicy, { functions, prefixes }: RuleDomain): boolean {
  return prefixesRead(conditions, functions).has(prefixes.candidate);
}

/** Whether a policy has a result for each subject: it reads one, or names labels that a subject must have. */
export function isOfSubjects({ conditions, scope }: RulePolicy, { functions, prefixes }: RuleDomain): boolean {
  return prefixesRead(conditions, functions).has(prefixes.subject) || Object.keys(scope.labels ?? {}).length > 0;
}

/**
 * One policy over one subject. With conditions on candidates the whole tree is evaluated once for each: the policy is true if
 * one is kept, else unknown if one was unknown, else false.
 */
export function evaluatePolicy(
  policy: RulePolicy,
  subject: Subject,
  state: EvaluationState,
  domain: RuleDomain,
): PolicyResult {
  const explain = (candidate: JsonObject) =>
    explainCondition(policy.conditions, domain.functions, {
      metrics: { ...state.metrics, ...subject.metrics, ...candidate },
      nowMs: state.nowMs,
    });
  const base = { policy: policy.name };
  if (!isOfCandidates(policy, domain)) {
    const conditions = explain({});
    return { ...base, outcome: conditions.outcome, conditions, missing: missingMetrics(conditions) };
  }
  const results = state.candidates.map(({ id, metrics, barred = subject.barred?.(id) }) => {
    const conditions = explain(metrics);
    if (barred !== undefined)
      return { conditions, result: { id, kept: false, outcome: 'false' as Truth, reason: barred } };
    const { outcome } = conditions;
    const reason = outcome === 'true' ? '' : decidingSentence(conditions);
    return { conditions, result: { id, kept: outcome === 'true', outcome, reason } };
  });
  const outcome = anyOf(results.map(({ result }) => result.outcome));
  const told = results.find(({ result }) => result.outcome === outcome)?.conditions ?? explain({});
  const unknown = outcome === 'unknown' ? results.filter(({ result }) => result.outcome === 'unknown') : [];
  return {
    ...base,
    outcome,
    conditions: told,
    missing: [...new Set(unknown.flatMap(({ conditions }) => missingMetrics(conditions)))],
    candidates: results.map(({ result }) => result),
  };
}
