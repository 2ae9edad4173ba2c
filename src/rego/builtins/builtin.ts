import { messageOf } from '../../kernel/message-of';
import type { RegoValue } from '../values/value';
import type { BuiltinBudget } from './plan-builtin';

/** What a built-in may know besides its operands; nothing else, so that a decision can be replayed. */
export interface BuiltinContext {
  /** the decision time, nanoseconds since the epoch, UTC; what `time.now_ns()` answers */
  readonly decisionTimeNs: bigint;
  /** asked before anything large is made */
  readonly budget: BuiltinBudget;
}

/**
 * A built-in function: the answer, or undefined where OPA's has none.
 *
 * @throws BuiltinError where OPA's reports an error; the expression that calls it is then undefined, as in OPA without
 *   `--strict-builtin-errors`
 * @throws BudgetExceededError where the answer would be too large; it ends the whole evaluation
 */
export type Builtin = (operands: readonly RegoValue[], context: BuiltinContext) => RegoValue | undefined;

/** A family of built-ins by their Rego names. */
export type Builtins = Readonly<Record<string, Builtin>>;

/** An error that the policy's author could have caused; any other error that leaves a built-in is a fault of ours. */
export class BuiltinError extends Error {
  override readonly name = 'BuiltinError';
}

/** Runs `read` and turns whatever it throws into a BuiltinError: for libraries that throw on bad input. */
export function orBuiltinError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof BuiltinError) throw cause;
    throw new BuiltinError(messageOf(cause), { cause });
  }
}
