import type { JsonObject, JsonValue } from '../../kernel/json';

/** What a registered function may look at beside its arguments. */
export interface FunctionScope {
  /** epoch milliseconds of the evaluation */
  nowMs: number;
  /** the value of a metric, by the name that a condition would use; undefined when it is missing */
  metric(name: string): JsonValue | undefined;
}

/**
 * A condition written in code, called as `{ "function": NAME, "args": {…} }`. It must be pure: a replay calls it again with the
 * same scope and expects the same answer.
 */
export interface ConditionFunction {
  name: string;
  /** one sentence for the list of functions and for what an explanation says */
  description: string;
  /** a fault for each argument that it cannot take, in lower case and without the place; none when all are right */
  argumentFaults(args: JsonObject): string[];
  /** names of the metrics that it reads with these arguments, so that its policy is evaluated for what they belong to; @default none */
  metrics?(args: JsonObject): readonly string[];
  /** @returns undefined when a metric that it needs is missing or of another type: the condition is unknown then */
  evaluate(args: JsonObject, scope: FunctionScope): boolean | undefined;
}

/** The functions of a program, by name. */
export type ConditionFunctions = ReadonlyMap<string, ConditionFunction>;
