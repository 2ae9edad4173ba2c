import type { Plan } from './plan';
import { PlanInvalidError, readPlan } from './read-plan';

/** A plan that can be evaluated here, or what keeps it from that. */
export type CheckedPlan = { plan: Plan; fault?: never } | { plan?: never; fault: string };

/** Reads a plan, in which `readPlan` must understand everything, and which must have the entrypoint. */
export function checkPlan(planText: string, entrypoint: string): CheckedPlan {
  try {
    const plan = readPlan(planText);
    const isThere = plan.entrypoints.some(({ name }) => name === entrypoint);
    return isThere ? { plan } : { fault: `expected an entrypoint ${entrypoint}` };
  } catch (error) {
    if (error instanceof PlanInvalidError) return { fault: error.message };
    throw error;
  }
}
