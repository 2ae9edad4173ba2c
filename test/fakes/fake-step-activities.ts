import { ApplicationFailure } from '@temporalio/common';
import { readLooks } from '../../src/activities/read-looks';
import type { StepActivities, StepAlert, StepLooks, StepRecord } from '../workflows/parts/two-steps-words';

/** What the workflow of two steps does outside, in memory: it can fail, hang and be down, and counts what was done. */
export class FakeStepActivities {
  /** every step fails while this is true */
  fails = false;
  storeDown = false;
  looks = 0;
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
      look: async ({ found, before }) => {
        const { Context } = await import('@temporalio/activity');
        const context = Context.current();
        const { count } = (context.info.heartbeatDetails as StepLooks | undefined) ?? before ?? { count: 0 };
        this.looks += 1;
        const now = this.fails ? 'down' : 'up';
        if (now !== found) return { count, found: now };
        context.heartbeat({ count: (count ?? 0) + 1 });
        throw ApplicationFailure.create({ type: 'Unchanged', message: now });
      },
      readLooks,
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
