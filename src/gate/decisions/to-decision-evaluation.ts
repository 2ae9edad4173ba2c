import {
  noVoteText,
  type Disagreement,
  type EvaluationAccount,
  type SecondOpinion,
} from '../../rego/evaluation-account';
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
  const optional = [...new Set((notes?.tolerated ?? []).flatMap(({ path }) => (path ? [pathText(path)] : [])))].sort();
  return {
    evaluators: [EVALUATORS[evaluator], ...(WAS_ASKED.includes(secondOpinion.vote) ? [EVALUATORS.wasm] : [])],
    secondOpinion: secondOpinion.vote,
    ...(secondOpinion.vote === 'none' ? { secondOpinionWhy: secondOpinion.why.map(noVoteText) } : {}),
    ...(disagreement === undefined ? {} : { disagreement }),
    ...(touched === undefined ? {} : { lookedAt: factIds.filter((id) => touched.includes(id)) }),
    ...(optional.length === 0 ? {} : { optionalAbsent: optional }),
  };
}
