import {
  noVoteText,
  type Disagreement,
  type EvaluationAccount,
  type SecondOpinion,
} from '../../rego/evaluation-account';
import { fittingTexts, LIMITS } from '../../kernel/limits';
import { EVALUATORS } from '../../rego/evaluator-versions';
import { pathText } from '../../rego/plan/absence/paths';
import type { DecisionEvaluation } from './decision';

const WAS_ASKED: readonly SecondOpinion['vote'][] = ['agreed', 'disagreed', 'failed'];

/** What a decision keeps of the account of its evaluation. */
export function toDecisionEvaluation(
  account: EvaluationAccount,
  factIds: readonly string[],
  disagreement?: Disagreement,
): DecisionEvaluation {
  const { evaluator, secondOpinion, touched, notes } = account;
  const made: DecisionEvaluation = {
    evaluators: WAS_ASKED.includes(secondOpinion.vote)
      ? [EVALUATORS[evaluator], EVALUATORS.wasm]
      : [EVALUATORS[evaluator]],
    secondOpinion: secondOpinion.vote,
  };
  if (secondOpinion.vote === 'none')
    made.secondOpinionWhy = fittingTexts(secondOpinion.why.map(noVoteText), LIMITS.paths);
  if (disagreement !== undefined) made.disagreement = disagreement;
  if (touched !== undefined) made.lookedAt = factIds.filter((id) => touched.includes(id));
  const tolerated = notes?.tolerated ?? [];
  if (tolerated.length > 0) {
    const optional = [...new Set(tolerated.flatMap(({ path }) => (path ? [pathText(path)] : [])))].sort();
    if (optional.length > 0) made.optionalAbsent = fittingTexts(optional, LIMITS.paths);
  }
  return made;
}
