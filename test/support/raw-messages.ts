import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** A payload as it is on the wire: any bytes under any metadata. */
export type RawPayload = temporal.api.common.v1.IPayload;

export interface RawTarget {
  client: Client;
  workflowId: string;
}

const { UpdateWorkflowExecutionLifecycleStage } = temporal.api.enums.v1;
const namespace = 'default';

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const rawPayload = (data: Uint8Array | undefined, encoding = 'json/plain'): RawPayload => ({
  metadata: { encoding: bytes(encoding) },
  ...(data === undefined ? {} : { data }),
});

/** Sends a signal past every converter. Rejects with what the server says of it. */
export async function rawSignal(
  { client, workflowId }: RawTarget,
  signalName: string,
  payloads: RawPayload[],
  header?: Record<string, RawPayload>,
): Promise<void> {
  await client.workflowService.signalWorkflowExecution({
    namespace,
    workflowExecution: { workflowId },
    signalName,
    input: { payloads },
    ...(header ? { header: { fields: header } } : {}),
  });
}

/** Sends an Update past every converter; returns the outcome on the wire, once it is there. */
export async function rawUpdate({ client, workflowId }: RawTarget, name: string, payloads: RawPayload[]) {
  const { outcome } = await client.workflowService.updateWorkflowExecution({
    namespace,
    workflowExecution: { workflowId },
    waitPolicy: {
      lifecycleStage: UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
    },
    request: { meta: { updateId: randomUUID(), identity: 'test' }, input: { name, args: { payloads } } },
  });
  return outcome;
}

/** Asks a query past every converter. Rejects when the query failed. */
export async function rawQuery({ client, workflowId }: RawTarget, queryType: string, payloads: RawPayload[]) {
  return await client.workflowService.queryWorkflow({
    namespace,
    execution: { workflowId },
    query: { queryType, queryArgs: { payloads } },
  });
}
