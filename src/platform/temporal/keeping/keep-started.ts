import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { repeat, type Repetition } from '../../../kernel/repeat';
import type { Timers } from '../../../kernel/timers';
import { attendanceOf, type Attendance } from './attendance';

export interface KeepStartedOptions {
  client: Client;
  namespace: string;
  /** without arguments */
  workflowType: string;
  workflowId: string;
  /** where it runs when no one has started it yet, or no worker is left where it runs */
  taskQueue: string;
  /** one line for the Temporal UI */
  summary: string;
  timers: Timers;
  /** it may have been terminated, or lost its workers; @default a minute */
  everyMs?: number;
  /** told after each look how it was found, before anything was done about it */
  onFound?(attendance: Attendance): void;
  /** told of a look or a start that failed; the next one is made all the same */
  onFailure(error: unknown): void;
}

/**
 * Keeps one workflow of a namespace running: starts it now and again and again, unless it runs. One whose task queue has
 * no worker any more is terminated and begins anew here: it must be one that can be cut off anywhere.
 */
export function keepStarted(options: KeepStartedOptions): Repetition {
  const { client, namespace, workflowType, workflowId, taskQueue, summary, timers } = options;
  const { everyMs = 60_000, onFound, onFailure } = options;
  const act = async (): Promise<void> => {
    const found = await attendanceOf(client, namespace, workflowId);
    onFound?.(found);
    if (found.state === 'attended') return;
    // By its run: of two workers that look at once, the second must not end what the first has started.
    if (found.state === 'unattended' && found.taskQueue !== taskQueue)
      await client.workflow
        .getHandle(workflowId, found.runId)
        .terminate(`no worker polls ${found.taskQueue} any more: it begins anew on ${taskQueue}`);
    await client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: summary,
    });
  };
  return repeat({ timers, everyMs, act, onFailure });
}
