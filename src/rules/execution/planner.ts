import type { ExecutionPlan, ExecutionQuestion } from './execution';
import type { ExecutionOutcome } from './make-plan';
import type { PinnedPolicies } from './policy-source';
import type { SourcedState } from './state-source';

/** What a plan is made from. */
export interface PlanQuestion {
  question: ExecutionQuestion;
  policies: PinnedPolicies;
  state: SourcedState;
  /** epoch milliseconds */
  nowMs: number;
}

/**
 * Evaluates policies for executions. Both methods throw what `makePlan` and `findOutcome` throw, and GateError PolicyEvaluation
 * for an evaluation that takes too long or too much memory.
 */
export interface Planner {
  /** @param maxAgeMs a state that was observed earlier is stale */
  plan(asked: PlanQuestion & { maxAgeMs: number }): Promise<ExecutionPlan>;
  /** @param plannedOnMs when the state of the plan was observed */
  outcome(asked: PlanQuestion & { plannedOnMs: number }): Promise<ExecutionOutcome | undefined>;
}
