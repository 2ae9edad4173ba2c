import type { JsonObject, JsonValue } from '../../kernel/json';
import type { PolicyBundle } from '../bundle/policy-bundle';
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
