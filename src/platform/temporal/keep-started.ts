import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { repeat, type Repetition } from '../../kernel/repeat';
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
export function keepStarted(options: KeepStartedOptions): Repetition {
  const { client, workflowType, workflowId, taskQueue, summary, timers, everyMs = 600_000, onFailure } = options;
  const act = async (): Promise<void> => {
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
