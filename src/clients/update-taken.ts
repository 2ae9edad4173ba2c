import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/**
 * How far Temporal has taken an Update that was not answered.
 * - `no`: not at all; it has no effect
 * - `held`: the server waits for a worker to take it, in memory alone: it takes effect then, or is lost
 * - `accepted`: the workflow has it in its history, so it takes effect
 * - `unknown`: the server could not be asked
 */
export const UpdateTaken = { no: 'no', held: 'held', accepted: 'accepted', unknown: 'unknown' } as const;
export type UpdateTaken = (typeof UpdateTaken)[keyof typeof UpdateTaken];

const { UpdateWorkflowExecutionLifecycleStage: Stage } = temporal.api.enums.v1;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const ANSWER_WITHIN_MS = 2_000;

/** How far Temporal has taken the Update; throws nothing. */
export async function updateTaken(client: Client, workflowId: string, updateId: string): Promise<UpdateTaken> {
  const ask = () =>
    client.workflowService.pollWorkflowExecutionUpdate({
      namespace: client.options.namespace,
      updateRef: { workflowExecution: { workflowId }, updateId },
      // Unspecified: the server answers at once.
      waitPolicy: { lifecycleStage: Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED },
    });
  try {
    const { stage } = await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, ask);
    const isAccepted = stage >= Stage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
    return isAccepted ? UpdateTaken.accepted : UpdateTaken.held;
  } catch (error) {
    return codeOf(error) === NOT_FOUND ? UpdateTaken.no : UpdateTaken.unknown;
  }
}

/** Whether the server refused a call at once because the workflow task fails again and again: it takes none then. */
export function isTaskFailing(error: unknown): boolean {
  return codeOf(error) === FAILED_PRECONDITION;
}

/** gRPC's code of an error or of what caused it. */
function codeOf(error: unknown): number | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (typeof code === 'number') return code;
  }
  return undefined;
}
