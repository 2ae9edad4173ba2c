import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkflowBundleOption } from '@temporalio/worker';
import { fleetQueueOf, ownQueueOf, type AskWorkersRequest, type WorkerAnswer } from '../releases/fleet/worker-answer';

/** Temporal's number for the pollers of activities. */
const ACTIVITY_POLLERS = 2;
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
  const seen = await findWorkers(fleet, taskQueue);
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

/** By identity, when Temporal last heard of each. */
async function findWorkers({ client, namespace }: FleetClient, taskQueue: string): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const name of await partitionsOf(client, namespace, fleetQueueOf(taskQueue))) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType: ACTIVITY_POLLERS,
    });
    for (const { identity, lastAccessTime } of pollers ?? []) {
      const atMs = Number(lastAccessTime?.seconds ?? 0) * 1000;
      if (identity) seen.set(identity, Math.max(atMs, seen.get(identity) ?? 0));
    }
  }
  return seen;
}

/**
 * A server spreads a queue over partitions (four by default, one in its dev server), and under the queue's own name it
 * tells the pollers of the first alone. One that does not tell its partitions is asked by that name.
 */
async function partitionsOf(client: Client, namespace: string, queue: string): Promise<string[]> {
  const { activityTaskQueuePartitions = [] } = await client.workflowService
    .listTaskQueuePartitions({ namespace, taskQueue: { name: queue } })
    .catch(() => ({ activityTaskQueuePartitions: [] }));
  return [...new Set([queue, ...(activityTaskQueuePartitions ?? []).flatMap(({ key }) => (key ? [key] : []))])];
}
