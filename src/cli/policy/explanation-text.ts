import type { EvaluationExplanation, ExplainedNote } from '../../gate/decisions/explain-evaluation';
import { toDecisionEvaluation } from '../../gate/decisions/to-decision-evaluation';
import type { JsonValue } from '../../kernel/json';
import { quoted } from '../command-json';

const LONGEST_VALUE = 100;

/** As `-o json` prints it. */
export function explanationRow(explanation: EvaluationExplanation): object {
  const { vote, why } = opinionOf(explanation);
  return {
    evaluator: explanation.evaluator,
    second_opinion: vote,
    ...(why === undefined ? {} : { second_opinion_why: why }),
    ...(explanation.touched === undefined ? {} : { looked_at: [...explanation.touched] }),
    lookups: explanation.lookups.map((lookup) =>
      'value' in lookup ? { ...lookup, value: quoted(lookup.value) } : lookup,
    ),
    noted: explanation.noted,
    tolerated: explanation.tolerated,
    used_declarations: [...explanation.usedDeclarations],
  };
}

export function explanationLines(explanation: EvaluationExplanation): string[] {
  const { vote, why } = opinionOf(explanation);
  const declared = explanation.usedDeclarations.join(', ');
  return [
    ...explanation.lookups.map(({ where, path, value }) => `${where}: ${path} ${foundText(value)}`),
    ...explanation.noted.map((note) => `noted ${noteText(note)}`),
    ...explanation.tolerated.map((note) => `tolerated ${noteText(note)} (declared at ${declared})`),
    `answered by the ${explanation.evaluator === 'plan' ? 'plan' : 'compiled module alone, which notes nothing'}`,
    `second opinion: ${vote}${why === undefined ? '' : ` (${why.join(', ')})`}`,
  ];
}

function opinionOf({ evaluator, secondOpinion }: EvaluationExplanation): { vote: string; why?: string[] } {
  const { secondOpinion: vote, secondOpinionWhy } = toDecisionEvaluation({ evaluator, secondOpinion }, []);
  return { vote, ...(secondOpinionWhy === undefined ? {} : { why: secondOpinionWhy }) };
}

function foundText(value: JsonValue | undefined): string {
  if (value === undefined) return 'is missing';
  const text = JSON.stringify(value);
  return `= ${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}`;
}

const noteText = ({ where, message, rule }: ExplainedNote): string => `${where}: ${message} (in ${rule})`;
