import type { JsonValue } from '../../kernel/json';
import type { NotesOfEvaluation } from '../plan/absence/notebook';
import type { Doubt } from '../plan/doubts';

/** When an `allow` needs the compiled wasm module to agree. `required`: always; `when-possible`: where it can answer. */
export type SecondOpinionSetting = 'required' | 'when-possible' | 'off';

/** Why there is no second opinion: the module is known to answer in another way than OPA, or there is none. */
export type NoVoteReason = Doubt | { reason: 'no-module'; message: string };

/** What the compiled module said of an `allow`. */
export type SecondOpinion =
  | { vote: 'agreed' }
  | { vote: 'none'; why: readonly NoVoteReason[] }
  /** the first evaluator did not allow, or noted something; or the setting is `off` */
  | { vote: 'not-asked' };

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

/** The two evaluators do not agree on an `allow`, or the second one, which is required, could not answer. */
export interface Disagreement {
  first: JsonValue;
  /** absent where the module gave no answer */
  second?: JsonValue;
  /** why the module gave none */
  secondFailure?: string;
}

/** The cause of a PolicyEvaluation failure that comes from a disagreement. */
export class SecondOpinionError extends Error {
  override readonly name = 'SecondOpinionError';
  constructor(readonly disagreement: Disagreement) {
    super(describeDisagreement(disagreement));
  }
}

export function describeDisagreement({ first, second, secondFailure }: Disagreement): string {
  const answer = secondFailure === undefined ? JSON.stringify(second ?? null) : `no answer: ${secondFailure}`;
  return `The policy's plan allows, and its compiled module does not: ${JSON.stringify(first)} against ${answer}`;
}

/** An answer that needs a second opinion. */
export function allows(response: JsonValue | undefined): boolean {
  return typeof response === 'object' && response !== null && !Array.isArray(response) && response.allow === true;
}
