import { compilePlan } from './compile/compile-plan';
import { PlanInvalidError, readPlan } from './read-plan';
import { BUILTINS } from '../builtins';

/**
 * What keeps a plan from being evaluated here, or undefined where nothing does: a statement, field or built-in that is not
 * known, an index that is out of range, an entrypoint that is missing.
 */
export function checkPlan(planText: string, entrypoint: string): string | undefined {
  try {
    const { entrypoints } = compilePlan(readPlan(planText), BUILTINS);
    return entrypoints.has(entrypoint) ? undefined : `expected an entrypoint ${entrypoint}`;
  } catch (error) {
    if (error instanceof PlanInvalidError) return error.message;
    throw error;
  }
}
