import { ApplicationFailure } from '@temporalio/common';
import type { StepActivities, StepAlert, StepRecord } from '../workflows/parts/two-steps-words';

/** What the workflow of two steps does outside, in memory: it can fail, hang and be down, and counts what was done. */
export class FakeStepActivities {
  /** every step fails while this is true */
  fails = false;
  storeDown = false;
  /** the step that waits until it is cancelled */
  hangsAt?: string;
  readonly acted: string[] = [];
  readonly undone: string[] = [];
  readonly records = new Map<string, StepRecord>();
  readonly alerts: StepAlert[] = [];

  activities(): StepActivities {
    return {
      act: async (step) => {
        if (this.fails) throw ApplicationFailure.nonRetryable(`${step} failed`);
        this.acted.push(step);
        if (step !== this.hangsAt) return;
        const { Context } = await import('@temporalio/activity');
        const context = Context.current();
        const beat = setInterval(() => context.heartbeat(), 50);
        await context.cancelled.finally(() => clearInterval(beat));
      },
      undo: async (step) => void this.undone.push(step),
      store: async (record) => {
        if (this.storeDown) throw ApplicationFailure.retryable('the store is down');
        const earlier = this.records.get(record.id);
        if (earlier) return earlier;
        this.records.set(record.id, record);
        return record;
      },
      sendAlert: async (alert) => void this.alerts.push(alert),
    };
  }
}
