import { FailureType, GateError } from '../../kernel/failures';
import { SecondOpinionError } from './account';
import type { RunFailure } from './evaluators';

/** The failure of a run as those who asked know it. */
export function toGateError({ step, message, disagreement }: RunFailure): GateError {
  const type = step === 'load' ? FailureType.PolicyInvalid : FailureType.PolicyEvaluation;
  const cause = disagreement === undefined ? {} : { cause: new SecondOpinionError(disagreement) };
  return new GateError(type, message, undefined, cause);
}
