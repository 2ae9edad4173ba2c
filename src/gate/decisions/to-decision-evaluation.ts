import type { EvaluationAccount, NoVoteReason } from '../../rego/evaluation/account';
import { EVALUATORS } from '../../rego/evaluator-versions';
import { pathText } from '../../rego/plan/absence/paths';
import type { DecisionEvaluation } from './decision';

/** What a decision keeps of the account of its evaluation. */
export function toDecisionEvaluation(account: EvaluationAccount, factIds: readonly string[]): DecisionEvaluation {
  const { evaluator, secondOpinion, touched, notes } = account;
  const optional = [...new Set((notes?.tolerated ?? []).flatMap(({ path }) => (path ? [pathText(path)] : [])))].sort();
  return {
    evaluators: [EVALUATORS[evaluator], ...(secondOpinion.vote === 'agreed' ? [EVALUATORS.wasm] : [])],
    secondOpinion: secondOpinion.vote,
    ...(secondOpinion.vote === 'none' ? { secondOpinionWhy: secondOpinion.why.map(whyText) } : {}),
    ...(touched === undefined ? {} : { lookedAt: factIds.filter((id) => touched.includes(id)) }),
    ...(optional.length === 0 ? {} : { optionalAbsent: optional }),
  };
}

function whyText(why: NoVoteReason): string {
  if (why.reason === 'no-module') return `no-module: ${why.message}`;
  return why.at === undefined ? why.reason : `${why.reason} at ${why.at.file}:${why.at.row}`;
}
