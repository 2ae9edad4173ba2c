import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkflowBundleOption } from '@temporalio/worker';
import { queuePollers } from '../platform/temporal/keeping/queue-pollers';
import { fleetQueueOf, ownQueueOf, type AskWorkersRequest, type WorkerAnswer } from '../releases/fleet/worker-answer';

/** A worker that lives polls within this time, so one that does not begin to answer is dead, or out of reach. */
const BEGIN_WITHIN_MS = 5_000;
const ASK_TIMEOUT_MS = 90_000;

export interface FleetClient {
  client: Client;
  /** shares the address of `client`; runs the workflow that asks */
  connection: NativeConnection;
  namespace: string;
  workflowBundle: WorkflowBundleOption;
  /** the same as that of `client` and of the workers; @default Temporal's own */
  dataConverter?: DataConverter;
}

/** A worker's answer, and when Temporal last heard of it, in epoch milliseconds. */
export type FleetAnswer = WorkerAnswer & { lastSeenAtMs: number };

/**
 * Asks every worker that polls `taskQueue`'s fleet, or did so lately. The workflow that asks runs here, in the caller: it
 * needs no worker that has a release, and costs the others nothing.
 *
 * @param signal ends the asking; workers that were told to reload do so all the same
 * @returns by identity; empty when no worker is known
 * @throws errors of the connection, WorkflowFailedError when `signal` ended it
 */
export async function askFleet(
  fleet: FleetClient,
  taskQueue: string,
  { reload, signal }: { reload: boolean; signal: AbortSignal },
): Promise<FleetAnswer[]> {
  const seen = await queuePollers(fleet.client, fleet.namespace, fleetQueueOf(taskQueue), 'activity');
  if (seen.size === 0) return [];
  const identities = [...seen.keys()].sort();
  const ownQueue = `${fleetQueueOf(taskQueue)}/asking/${randomUUID()}`;
  const worker = await Worker.create({
    connection: fleet.connection,
    namespace: fleet.namespace,
    taskQueue: ownQueue,
    workflowBundle: fleet.workflowBundle,
    shutdownGraceTime: 0,
    ...(fleet.dataConverter === undefined ? {} : { dataConverter: fleet.dataConverter }),
  });
  const request: AskWorkersRequest = {
    workers: identities.map((identity) => ({ identity, taskQueue: ownQueueOf(taskQueue, identity) })),
    reload,
    withinMs: BEGIN_WITHIN_MS,
  };
  const ask = async (): Promise<WorkerAnswer[]> => {
    const asking = await fleet.client.workflow.start<(request: AskWorkersRequest) => Promise<WorkerAnswer[]>>(
      'askWorkers',
      { taskQueue: ownQueue, workflowId: ownQueue, workflowExecutionTimeout: ASK_TIMEOUT_MS, args: [request] },
    );
    const end = (): void => void asking.terminate('the caller was stopped').catch(() => undefined);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return asking.result().finally(() => signal.removeEventListener('abort', end));
  };
  const answers = await worker.runUntil(ask);
  return answers.map((answer) => ({ ...answer, lastSeenAtMs: seen.get(answer.identity) ?? 0 }));
}
