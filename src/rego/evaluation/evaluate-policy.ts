import type { JsonObject, JsonValue } from '../../kernel/json';
import type { PolicyBundle } from '../bundle/policy-bundle';
import { FailureType, GateError } from '../../kernel/failures';
import type { EvaluationAccount, SecondOpinionSetting } from '../evaluation-account';

/** One evaluation: everything that its answer depends on, and its limits. */
export interface PolicyRequest {
  policy: PolicyBundle;
  configDocument: JsonObject;
  configRev: string;
  input: JsonObject;
  /** what `time.now_ns()` answers, epoch milliseconds */
  decisionTimeMs: number;
  /** counted from the start of the evaluation, not from queueing */
  deadlineMs?: number;
  /** the most memory that the policy may use, MiB */
  memoryMiB?: number;
  /** whether an allow needs the compiled module to agree @default when-possible */
  secondOpinion?: SecondOpinionSetting;
}

/** Runs a policy. Throws GateError PolicyEvaluation when it gives no answer: it aborts, conflicts, passes its deadline. */
export type EvaluatePolicy = (
  request: PolicyRequest,
) => Promise<{ response: JsonValue | undefined; evalDurationNs: number; account?: EvaluationAccount }>;

/** What an evaluator is asked: `configRev` only where the configuration is a release's. */
export type EvaluatorRequest = Omit<PolicyRequest, 'configRev'> & Partial<Pick<PolicyRequest, 'configRev'>>;

/** What evaluates policies. */
export interface PolicyEvaluator {
  /**
   * The value of the policy's entrypoint over the input; undefined where the entrypoint is. It must account for its answer:
   * an absent value that was looked up, a built-in that failed and values of different types that were compared are `notes`,
   * and no allow holds beside one. It ends within the deadline.
   *
   * @throws GateError PolicyEvaluation when there is no answer, PolicyInvalid when the policy cannot be loaded,
   *   PolicyUnavailable when nothing can be evaluated now
   */
  evaluate(
    request: EvaluatorRequest,
  ): Promise<{ response: JsonValue | undefined; evalDurationNs: number; account: EvaluationAccount }>;
}

/** An evaluator whose answers must be accounted for: an allow of which no one noted what was missing is none. */
export function accounted(evaluator: PolicyEvaluator): PolicyEvaluator {
  return {
    evaluate: async (request) => {
      const answer = await evaluator.evaluate(request);
      const { account } = answer as Partial<typeof answer>;
      if (account !== undefined) return answer;
      const message = 'Expected the evaluator to account for its answer (account), but it did not';
      throw new GateError(FailureType.PolicyEvaluation, message);
    },
  };
}
