import { isCancellation, proxyActivities } from '@temporalio/workflow';
import { messageOf } from '../kernel/message-of';
import type { AskWorkersRequest, FleetActivities, WorkerAnswer } from '../releases/fleet/worker-answer';

/** Longer than a check of a release may take. */
const RELOAD_TIMEOUT = '70s';
const STATUS_TIMEOUT = '10s';

/** Asks each worker on its own queue, side by side; one that does not answer is an answer, too. */
export async function askWorkers({ workers, reload, withinMs }: AskWorkersRequest): Promise<WorkerAnswer[]> {
  return Promise.all(
    workers.map(async ({ identity, taskQueue }): Promise<WorkerAnswer> => {
      const { releaseStatus, reloadRelease } = proxyActivities<FleetActivities>({
        taskQueue,
        scheduleToStartTimeout: withinMs,
        startToCloseTimeout: reload ? RELOAD_TIMEOUT : STATUS_TIMEOUT,
        retry: { maximumAttempts: 1 },
      });
      try {
        return { identity, release: await (reload ? reloadRelease() : releaseStatus()) };
      } catch (error) {
        if (isCancellation(error)) throw error;
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
        return { identity, silence: messageOf(cause) };
      }
    }),
  );
}
