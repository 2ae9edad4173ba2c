import type { Client } from '@temporalio/client';

/** Who terminated a workflow, and why, as far as they said. */
export interface Termination {
  identity?: string;
  reason?: string;
}

/**
 * The last event of a workflow that was terminated.
 *
 * @throws errors of the connection
 */
export async function readTermination(
  client: Client,
  execution: { workflowId: string; runId: string },
): Promise<Termination> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  const { identity, reason } = history?.events?.[0]?.workflowExecutionTerminatedEventAttributes ?? {};
  return { ...(identity ? { identity } : {}), ...(reason ? { reason } : {}) };
}

/** One sentence about it. */
export function terminationText({ identity, reason }: Termination): string {
  return `terminated in Temporal${identity === undefined ? '' : ` by ${identity}`}${reason === undefined ? '' : `: ${reason}`}`;
}
