import type { ExecutionPlan, PlannedStep } from '../execution/execution';
import type { ExecutionOutcome } from '../execution/make-plan';
import type { Planner } from '../execution/planner';
import type { DocumentSet } from './rule-evaluator';
import { createThreadPool, type ThreadPoolOptions } from './thread-pool';

export interface PlanThreadsOptions extends ThreadPoolOptions {
  /** of one attempt at a step; undefined for the time of the settings */
  timeoutMsOf?(step: PlannedStep): number | undefined;
}

/** A plan's policies come with its question. */
const NO_SET: DocumentSet = { key: 0, since: () => ({ key: 0, documents: [] }) };

/** Threads that make the plans of executions: a policy that never ends must not hold up a worker. */
export function createPlanThreads({
  timeoutMsOf,
  ...options
}: PlanThreadsOptions): Planner & { close(): Promise<void> } {
  const { ask, close } = createThreadPool(options);
  return {
    async plan(asked) {
      const { result } = await ask<ExecutionPlan>(NO_SET, { kind: 'plan', ...asked });
      return { ...result, steps: result.steps.map((step) => withTimeout(step, timeoutMsOf?.(step))) };
    },
    outcome: async (asked) => (await ask<ExecutionOutcome | undefined>(NO_SET, { kind: 'outcome', ...asked })).result,
    close,
  };
}

function withTimeout(step: PlannedStep, timeoutMs: number | undefined): PlannedStep {
  return timeoutMs === undefined ? step : { ...step, timeoutMs };
}
