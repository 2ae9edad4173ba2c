import type { JsonValue } from '../kernel/json';
import type { NotesOfEvaluation } from './plan/absence/notebook';
import type { Doubt } from './plan/doubts';

/** When an `allow` needs the compiled wasm module to agree. `required`: always; `when-possible`: where it can answer. */
export type SecondOpinionSetting = 'required' | 'when-possible' | 'off';

/**
 * Why there is no second opinion: the module is known to answer in another way than OPA, or there is none (`no-module`), or
 * there is no plan, so that the module's is the only one.
 */
export type NoVoteReason = Doubt | { reason: 'no-module'; message: string } | { reason: 'no-plan' };

/** For people, and for records. */
export function noVoteText(why: NoVoteReason): string {
  if (why.reason === 'no-module') return `no-module: ${why.message}`;
  if (why.reason === 'no-plan') return 'no-plan: wasm decides alone, and nothing notices what is missing';
  return why.at === undefined ? why.reason : `${why.reason} at ${why.at.file}:${why.at.row}`;
}

/** What the compiled module said of an `allow`. */
export type SecondOpinion =
  | { vote: 'agreed' }
  | { vote: 'none'; why: readonly NoVoteReason[] }
  /** the first evaluator did not allow, or noted something; or the setting is `off` */
  | { vote: 'not-asked' }
  /** it does not allow, or it threw, ran out of memory or time: the evaluation failed */
  | { vote: 'disagreed' | 'failed' };

/** How an answer came about. */
export interface EvaluationAccount {
  /** which evaluator the response is of; `wasm` where the bundle has no plan, and then nothing was noted */
  evaluator: 'plan' | 'wasm';
  secondOpinion: SecondOpinion;
  /** names of the top level of the input that were looked up; absent where the whole input was used */
  touched?: readonly string[];
  /** absent where nothing was noted, tolerated or used */
  notes?: NotesOfEvaluation;
}

/** An `allow` that the module does not confirm: both answers as JSON, shortened where they are long. */
export interface Disagreement {
  first: string;
  /** `null` where the entrypoint is undefined; absent where the module gave no answer */
  second?: string;
  /** why the module gave none */
  secondFailure?: string;
}

/** Why an evaluation failed although its first evaluator answered. */
export interface Refusal {
  disagreement: Disagreement;
  account: EvaluationAccount;
}

/** The cause of a PolicyEvaluation failure that comes from the second opinion. */
export class SecondOpinionError extends Error {
  override readonly name = 'SecondOpinionError';
  constructor(
    readonly refusal: Refusal,
    /** of both evaluators; 0 where the thread was stopped */
    readonly evalDurationNs: number,
  ) {
    super(describeDisagreement(refusal.disagreement));
  }
}

export function describeDisagreement({ first, second, secondFailure }: Disagreement): string {
  const answer = secondFailure === undefined ? second : `no answer: ${secondFailure}`;
  return `The policy's plan allows, and its compiled module does not: ${first} against ${answer}`;
}

/** Enough to see what an answer says; records and shared memory keep no more. */
const LONGEST_ANSWER = 2_000;

/** An answer as a disagreement shows it. */
export function shownAnswer(text: string): string {
  return text.length > LONGEST_ANSWER ? `${text.slice(0, LONGEST_ANSWER)}…` : text;
}

/** An answer that needs a second opinion. */
export function allows(response: JsonValue | undefined): boolean {
  return typeof response === 'object' && response !== null && !Array.isArray(response) && response.allow === true;
}
