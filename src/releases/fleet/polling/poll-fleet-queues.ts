import { Context } from '@temporalio/activity';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection } from '@temporalio/worker';
import { fleetQueueOf, ownQueueOf, type FleetActivities } from '../worker-answer';

/** People ask now and then, and Temporal bounds the polls that are open: ten a queue, as is usual, would be most of them. */
const POLLS = 2;

export interface FleetPolling {
  /** rejects when polling fails */
  stopped: Promise<void>;
  stop(): void;
}

/**
 * Makes a worker one of the fleet: it is found on the queue that all share, and answers on one of its own. From its start
 * on, before any release is loaded: then people ask most.
 */
export async function pollFleetQueues(options: {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  /** unique among all workers */
  identity: string;
  /** @default Temporal's own */
  dataConverter?: DataConverter;
  activities: FleetActivities;
}): Promise<FleetPolling> {
  const { connection, namespace, taskQueue, identity, dataConverter, activities } = options;
  const answers: FleetActivities = {
    releaseStatus: () => unlessStopped(activities.releaseStatus()),
    reloadRelease: () => unlessStopped(activities.reloadRelease()),
  };
  const workers: Worker[] = [];
  for (const queue of [fleetQueueOf(taskQueue), ownQueueOf(taskQueue, identity)]) {
    const worker = await Worker.create({
      connection,
      namespace,
      identity,
      taskQueue: queue,
      activities: { ...answers },
      maxConcurrentActivityTaskPolls: POLLS,
      ...(dataConverter === undefined ? {} : { dataConverter }),
    });
    workers.push(worker);
  }
  const stop = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // One that fails takes the other with it: half a worker would be found and never answer.
  const stopped = Promise.all(workers.map((worker) => worker.run().finally(stop))).then(() => undefined);
  stopped.catch(() => undefined);
  return { stopped, stop };
}

/** A worker that stops does not wait for a manifest whose source hangs; whoever asked hears that it stopped. */
function unlessStopped<T>(work: Promise<T>): Promise<T> {
  return Promise.race([work, Context.current().cancelled]);
}
