import type { BuiltinBudget } from '../builtins/plan-builtin';
import type { RegoValue } from '../values/value';

export interface BuiltinContext {
  /** the decision time, nanoseconds since the epoch, UTC */
  readonly decisionTimeNs: bigint;
  readonly budget: BuiltinBudget;
}
export type PlanBuiltin = (operands: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;
