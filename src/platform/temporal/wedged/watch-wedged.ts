import type { Client } from '@temporalio/client';
import { repeat, type Repetition } from '../../../kernel/repeat';
import type { Timers } from '../../../kernel/timers';
import { isWedged, wedgedWorkflow, type WedgedWorkflow } from './find-wedged';

export interface WedgedWatchOptions {
  client: Client;
  namespace: string;
  taskQueue: string;
  timers: Timers;
  /** from the end of one look to the next; @default a minute */
  everyMs?: number;
  /** running workflows asked about in one look, the next ones in the next look; @default 200 */
  perLook?: number;
  /** told after each look of all that are wedged now, as far as they were looked at */
  onLook(wedged: readonly WedgedWorkflow[]): void;
  /** told of a look that failed; the next one is made all the same */
  onFailure(error: unknown): void;
}

const SIDE_BY_SIDE = 5;

/**
 * Looks at the running workflows of a task queue for those whose workflow task fails again and again. Temporal has no
 * search for them, so each is asked about, a bounded number at a time; those found are looked at in every look.
 */
export function watchWedged(options: WedgedWatchOptions): Repetition {
  const { client, namespace, taskQueue, timers, everyMs = 60_000, perLook = 200, onLook, onFailure } = options;
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  const known = new Map<string, WedgedWorkflow>();
  let stopped = false;
  let listed: AsyncIterator<{ workflowId: string }> | undefined;

  const lookAt = async (workflowId: string): Promise<void> => {
    if (stopped) return;
    const found = await wedgedWorkflow(client, namespace, workflowId);
    if (found && isWedged(found)) known.set(workflowId, found);
    else known.delete(workflowId);
  };
  const look = async (): Promise<void> => {
    const ids = new Set(known.keys());
    listed ??= client.workflow.list({ query })[Symbol.asyncIterator]();
    for (let asked = 0; asked < perLook && !stopped; asked += 1) {
      const { done, value } = await listed.next();
      if (done) {
        listed = undefined;
        break;
      }
      ids.add(value.workflowId);
    }
    const queued = [...ids];
    const ask = async (): Promise<void> => {
      for (let id = queued.shift(); id !== undefined; id = queued.shift()) await lookAt(id);
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, ask));
    if (!stopped) onLook([...known.values()]);
  };

  const looking = repeat({
    timers,
    everyMs,
    act: look,
    onFailure: (error) => {
      listed = undefined;
      onFailure(error);
    },
  });
  return {
    stop: async () => {
      stopped = true;
      await looking.stop();
    },
  };
}
