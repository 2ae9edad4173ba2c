import type { Client } from '@temporalio/client';
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow';

/**
 * The first argument that a workflow was started with, from the first event of the run, or of the newest one; undefined where
 * it cannot be read with the client's keys.
 *
 * @throws errors of the connection, and the server's when it does not know the workflow
 */
export async function readStartedInput(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId?: string },
): Promise<unknown> {
  const { namespace, loadedDataConverter } = client.options;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace,
    execution: { workflowId, ...(runId === undefined ? {} : { runId }) },
    maximumPageSize: 1,
  });
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  try {
    return await decodeFromPayloadsAtIndex(loadedDataConverter, 0, payloads);
  } catch {
    return undefined;
  }
}
