import { CancellationScope } from '@temporalio/workflow';
import type { Fault } from '../../kernel/failures';
import type { Pause, ReminderIntervals } from '../../kernel/pause';
import { Pauses, type PauseContext, type PauseTeller } from './pauses';
import { Recorder } from './recorder';

/** A workflow has two places for a pause: its work's own, and the outage of the store, which is shown first. */
export type PauseSlot = 'pause' | 'outage';

/** A domain's pauses and records, in its words. */
export interface RecordedPauseWords<R extends object, P extends Pause> {
  intervals: ReminderIntervals;
  present(slot: PauseSlot): P | undefined;
  /** a pause has begun, or is another than it was: reminded, recovered, with other faults */
  put(slot: PauseSlot, pause: P): void;
  ended(slot: PauseSlot): void;
  /** writes the search attributes; called when a pause begins */
  show(): void;
  /** sends the one alert of the pause, its reminders, and with `endsAtMs` its end; must not wait for the receiver */
  alert(pause: P, endsAtMs?: number): void;
  /** what tells people of pauses in their place: they send no messages of their own then */
  teller?(): PauseTeller | undefined;
  pauseRecord(pause: P): R;
  resolvedRecord(pause: P, atMs: number, reason: string): R;
  /** stores a record, and may give up */
  store(record: R): Promise<R>;
  /** never gives up: the server keeps asking, and the history does not grow */
  untilStored(record: R): Promise<R>;
  /** what an outage that held up this record is announced with */
  outageOf(record: R, error: unknown): { faults: Fault[]; context: PauseContext<P> };
}

/** Pauses that are recorded and alerted once, and records that are durable before anything acts. */
export class RecordedPauses<R extends object, P extends Pause> {
  readonly pauses: Pauses<P>;
  private readonly recorder: Recorder<R, P>;

  constructor(private readonly words: RecordedPauseWords<R, P>) {
    this.pauses = this.pausesIn('pause');
    const outages = this.pausesIn('outage');
    this.recorder = new Recorder({
      ...words,
      outages,
      recordBegun: (outage) => this.record(words.pauseRecord(outage)),
    });
  }

  /** Returns, once it is durable, the record that is in the store under its id. A cancellation does not stop it. */
  async record(record: R): Promise<R> {
    return await CancellationScope.nonCancellable(() => this.recorder.store(record, this.words.store));
  }

  /**
   * The same in another way at first, and given up on a cancellation.
   *
   * @param attempt stores the record, and may give up
   */
  async recordBy(attempt: (record: R) => Promise<R>, record: R): Promise<R> {
    return await this.recorder.store(record, attempt);
  }

  private pausesIn(slot: PauseSlot): Pauses<P> {
    const { words } = this;
    return new Pauses<P>({
      intervals: words.intervals,
      present: () => words.present(slot),
      put: (pause) => words.put(slot, pause),
      ended: () => words.ended(slot),
      show: () => words.show(),
      alert: (pause, endsAtMs) => words.alert(pause, endsAtMs),
      teller: () => words.teller?.(),
      recordBegun: (pause) => this.record(words.pauseRecord(pause)),
      recordEnded: (pause, atMs, reason) => this.record(words.resolvedRecord(pause, atMs, reason)),
    });
  }
}
