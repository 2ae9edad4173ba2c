import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { Timers } from '../../kernel/timers';

export interface KeepStartedOptions {
  client: Client;
  /** without arguments */
  workflowType: string;
  workflowId: string;
  /** where it runs when no one has started it yet */
  taskQueue: string;
  /** one line for the Temporal UI */
  summary: string;
  timers: Timers;
  /** it may have been terminated; @default ten minutes */
  everyMs?: number;
  /** told of a start that failed; the next one is made all the same */
  onFailure(error: unknown): void;
}

/** Keeps one workflow of a namespace running: starts it now and again and again, unless it runs. */
export function keepStarted(options: KeepStartedOptions): { stop(): Promise<void> } {
  const { client, workflowType, workflowId, taskQueue, summary, timers, everyMs = 600_000, onFailure } = options;
  let stopped = false;
  let callOff = (): void => undefined;
  let underWay: Promise<void> = Promise.resolve();
  const start = async (): Promise<void> => {
    await client.workflow.start(workflowType, {
      workflowId,
      taskQueue,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: summary,
    });
  };
  const run = (): void => {
    underWay = start()
      .catch((error: unknown) => {
        if (!stopped) onFailure(error);
      })
      .finally(() => {
        if (!stopped) callOff = timers.after(everyMs, run, { background: true });
      });
  };
  run();
  return {
    stop: async () => {
      stopped = true;
      callOff();
      await underWay;
    },
  };
}
