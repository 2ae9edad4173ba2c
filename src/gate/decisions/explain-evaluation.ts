import type { JsonValue } from '../../kernel/json';
import type { EvaluationAccount, SecondOpinion } from '../../rego/evaluation-account';
import type { Note, NoteKind } from '../../rego/plan/absence/note';
import { pathText } from '../../rego/plan/absence/paths';
import type { Lookup } from '../../rego/plan/lookups';
import { toPlain } from '../../rego/values/plain';

/** A value that the evaluation looked up, or found to be missing. */
export interface ExplainedLookup {
  /** `gate.rego:14` */
  where: string;
  /** `input.pending_delta` */
  path: string;
  /** absent where there was none */
  value?: JsonValue;
}

/** What was missing or failed, as the evaluation noted it. */
export interface ExplainedNote {
  /** `gate.rego:14` */
  where: string;
  /** `gate.deny_reasons` */
  rule: string;
  kind: NoteKind;
  /** what was looked up; absent for a failed built-in or comparison */
  path?: string;
  /** one sentence */
  message: string;
}

/** How an evaluation came to its answer, line by line. */
export interface EvaluationExplanation {
  /** whose answer counts */
  evaluator: 'plan' | 'wasm';
  /** whether the compiled module agreed */
  secondOpinion: SecondOpinion;
  /** names of the top level of the input; absent where the whole input was used */
  touched?: readonly string[];
  /** in the order of the evaluation */
  lookups: ExplainedLookup[];
  /** keep the answer from being relied on */
  noted: ExplainedNote[];
  /** what declarations allow, and where those are written */
  tolerated: ExplainedNote[];
  /** declarations of the policy that a note was tolerated by */
  usedDeclarations: readonly string[];
}

/** @param lookups of the same evaluation; empty where only the compiled module was asked */
export function explainEvaluation(
  { evaluator, secondOpinion, touched, notes }: EvaluationAccount,
  lookups: readonly Lookup[],
): EvaluationExplanation {
  return {
    evaluator,
    secondOpinion,
    ...(touched === undefined ? {} : { touched }),
    lookups: lookups
      .filter(({ at }) => at.row > 0)
      .map(({ at, path, value }) => ({
        where: `${at.file}:${at.row}`,
        path: pathText(path),
        ...(value === undefined ? {} : { value: toPlain(value) as JsonValue }),
      })),
    noted:
      notes === undefined ? [] : [...notes.absent, ...notes.builtinErrors, ...notes.comparisons].map(explainedNote),
    tolerated: (notes?.tolerated ?? []).map(explainedNote),
    usedDeclarations: notes?.usedDeclarations ?? [],
  };
}

function explainedNote({ at, rule, kind, path, message }: Note): ExplainedNote {
  return {
    where: `${at.file}:${at.row}`,
    rule,
    kind,
    ...(path === undefined ? {} : { path: pathText(path) }),
    message,
  };
}
