import type { ExecutionRef } from '../plans/execution/plan-run';
import type { RunReport } from '../plans/execution/follow-run';

// Types only: workflows import this file with `import type`.

/** What an execution of a plan does beside the gate. Each is safe to run twice. */
export interface PlanActivities {
  /**
   * Writes what a run tells into the status of its Execution, and into that of the goal.
   *
   * @returns whether the Execution is still there
   */
  reportPlanRun(execution: ExecutionRef, report: RunReport): Promise<{ exists: boolean }>;
}
