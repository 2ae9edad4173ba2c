import { condition, isCancellation } from '@temporalio/workflow';
import type { Fault } from '../../kernel/failures';
import type { Pause } from '../../kernel/pause';
import type { PauseContext, Pauses } from './pauses';

/** How a domain stores its records. */
export interface RecordWords<R extends object, P extends Pause> {
  /** the pauses on the store itself */
  outages: Pauses<P>;
  /** never gives up: the server keeps asking, and the history does not grow */
  untilStored(record: R): Promise<R>;
  /** what an outage that held up this record is announced with */
  outageOf(record: R, error: unknown): { faults: Fault[]; context: PauseContext<P> };
  recordBegun(outage: P): Promise<unknown>;
}

/**
 * Records before anything acts. While the store is down the workflow is paused, and it resumes by itself when the store is
 * back; the outage is recorded then.
 */
export class Recorder<R extends object, P extends Pause> {
  constructor(private readonly words: RecordWords<R, P>) {}

  /**
   * Returns, once it is durable, the record that is in the store under its id.
   *
   * @param attempt the first way to store it, which may give up
   */
  async store(record: R, attempt: (record: R) => Promise<R>): Promise<R> {
    // The records about an outage itself wait as part of it.
    if (this.words.outages.present) return await this.words.untilStored(record);
    try {
      return await attempt(record);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // Another record found the outage first, and announced it.
      if (this.words.outages.present) return await this.words.untilStored(record);
      return await this.storeAfterOutage(record, error);
    }
  }

  private async storeAfterOutage(record: R, error: unknown): Promise<R> {
    const { outages, outageOf, untilStored, recordBegun } = this.words;
    const { faults, context } = outageOf(record, error);
    const begun = outages.announce(faults, context);

    let stored: R | undefined;
    const storing = untilStored(record).then((answer) => (stored = answer));
    // Awaited below; a rejection (only a cancellation) must not be reported as unhandled before that.
    storing.catch(() => undefined);
    while (stored === undefined) {
      const { nextReminderAtMs } = outages;
      if (nextReminderAtMs === Infinity) await storing;
      else await Promise.race([storing, condition(() => stored !== undefined, untilMs(nextReminderAtMs))]);
      if (stored === undefined) outages.remindIfDue();
    }

    await recordBegun(begun);
    await outages.end('the audit store is back');
    return stored;
  }
}

function untilMs(atMs: number): number {
  return Math.max(1, atMs - Date.now());
}
