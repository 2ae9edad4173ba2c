import type { GateRecord } from '../audit/audit-record';
import type { Decision } from '../gate/decisions/decision';
import { BUDGET } from '../rego/builtins/plan-builtin';
import { EVALUATORS } from '../rego/evaluator-versions';

/** Versions of before the plan's evaluator did not name theirs: they had the compiled module alone. */
const UNNAMED = ['opa-wasm'];

/**
 * The evaluators that made a recorded decision, where they are others than those that decide now: another version, another
 * budget, or the compiled module alone where the plan decides now.
 *
 * @param now the decision of the present ones
 * @returns undefined where they are the same, or where no policy was evaluated then or now
 */
export function otherEvaluators(
  { evaluation, evalDurationNS = 0 }: Pick<GateRecord, 'evaluation' | 'evalDurationNS'>,
  now: Pick<Decision, 'evaluation'>,
): string[] | undefined {
  if (now.evaluation === undefined) return undefined;
  if (evaluation === undefined) return evalDurationNS > 0 ? UNNAMED : undefined;
  const { evaluators, budget } = evaluation;
  const isOfNow =
    evaluators[0] === now.evaluation.evaluators[0] &&
    evaluators.every((name) => (Object.values(EVALUATORS) as string[]).includes(name));
  if (!isOfNow) return evaluators;
  const isBudgetOfNow =
    budget === undefined ||
    (Object.keys(BUDGET) as (keyof typeof BUDGET)[]).every((key) => budget[key] === BUDGET[key]);
  return isBudgetOfNow ? undefined : [...evaluators, `budget ${Object.values(budget).join('/')}`];
}
