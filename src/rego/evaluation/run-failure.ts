import { FailureType, GateError } from '../../kernel/failures';
import { describeDisagreement, SecondOpinionError, type Refusal } from '../evaluation-account';

/** Why there is no answer: the policy did not load, did not answer, or its two evaluators do not agree. */
export interface RunFailure {
  step: 'load' | 'run';
  message: string;
  /** where the first evaluator allows, and the second does not confirm it */
  refusal?: Refusal;
}

/** The failure of a run as its caller knows it. */
export function toGateError({ step, message, refusal }: RunFailure, evalDurationNs = 0): GateError {
  const type = step === 'load' ? FailureType.PolicyInvalid : FailureType.PolicyEvaluation;
  const cause = refusal === undefined ? {} : { cause: new SecondOpinionError(refusal, evalDurationNs) };
  return new GateError(type, message, undefined, cause);
}

/** An allow of the first evaluator that the second does not confirm. */
export function refused(refusal: Refusal): RunFailure {
  return { step: 'run', message: describeDisagreement(refusal.disagreement), refusal };
}

/**
 * An evaluation whose thread was stopped, or ended.
 *
 * @param why what became of the thread
 * @param first the first evaluator's answer, where the second was at work
 */
export function stopped(why: string, first: string | undefined): RunFailure {
  if (first === undefined) return { step: 'run', message: `The evaluation of the policy failed: ${why}` };
  const account = { evaluator: 'plan', secondOpinion: { vote: 'failed' } } as const;
  return refused({ disagreement: { first, secondFailure: why }, account });
}
