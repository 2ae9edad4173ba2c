import { isJsonObject } from '../../kernel/json';
import type { Execution } from '../kinds/execution';
import type { PlanObject } from '../object';
import type { PinnedPlan } from './compile-execution';
import { hasEnded } from './follow-run';
import { isRunByGate } from './plan-run';

/** The plan that an execution was created for, as it was then; undefined for one that the gate does not run. */
export function pinnedPlanOf({ status }: Pick<PlanObject, 'status'>): PinnedPlan | undefined {
  const extensions = status?.extensions;
  const plan = isJsonObject(extensions) ? extensions.plan : undefined;
  return isJsonObject(plan) ? (plan as unknown as PinnedPlan) : undefined;
}

/** The name of the goal that an execution which the gate runs is for. */
export function goalNameOf(execution: PlanObject): string | undefined {
  return (execution as unknown as Execution).spec.goalRef?.name ?? pinnedPlanOf(execution)?.spec.goalRef?.name;
}

/** The execution of a goal that has not ended, and the plan that it is of. */
export interface UnderWay {
  name: string;
  plan: string;
  phase: string;
}

/** What of an execution concerns its goal; undefined for one that has ended, or that the gate does not run. */
export function underWayOf(execution: PlanObject): UnderWay | undefined {
  const { metadata, spec, status } = execution as unknown as Execution;
  if (!isRunByGate(execution) || hasEnded({ status })) return undefined;
  return { name: metadata.name, plan: spec.planRef.name, phase: status?.phase ?? 'Pending' };
}
