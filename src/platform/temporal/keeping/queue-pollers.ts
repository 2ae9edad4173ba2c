import type { Client } from '@temporalio/client';

/** Temporal's numbers for the kinds of tasks that a queue has. */
const TYPES = { workflow: 1, activity: 2 } as const;

/**
 * Who has polled a task queue in the last minutes, by identity: Temporal lists a poller for five minutes after its last
 * poll.
 *
 * @returns when each polled last, in epoch milliseconds
 * @throws errors of the connection
 */
export async function queuePollers(
  client: Client,
  namespace: string,
  queue: string,
  type: keyof typeof TYPES,
): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const name of await partitionsOf(client, namespace, queue, type)) {
    const { pollers } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name },
      taskQueueType: TYPES[type],
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
async function partitionsOf(
  client: Client,
  namespace: string,
  queue: string,
  type: keyof typeof TYPES,
): Promise<string[]> {
  const answer = await client.workflowService
    .listTaskQueuePartitions({ namespace, taskQueue: { name: queue } })
    .catch(() => undefined);
  const partitions = type === 'activity' ? answer?.activityTaskQueuePartitions : answer?.workflowTaskQueuePartitions;
  return [...new Set([queue, ...(partitions ?? []).flatMap(({ key }) => (key ? [key] : []))])];
}
