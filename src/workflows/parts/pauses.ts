import { uuid4 } from '@temporalio/workflow';
import type { Fault } from '../../kernel/failures';
import { beginPause, reminded, stillPaused, type Pause, type ReminderIntervals } from '../../kernel/pause';
import { steadyNow } from './steady-now';

/** How a domain keeps, shows and records its pauses. The pause itself is part of the domain's state. */
export interface PauseWords<P extends Pause> {
  intervals: ReminderIntervals;
  present(): P | undefined;
  /** a pause has begun, or is another than it was */
  put(pause: P): void;
  ended(): void;
  /** writes the search attributes; called when a pause begins */
  show(): void;
  /** sends the one alert of the pause, its reminders, and with `endsAtMs` its end; must not wait for the receiver */
  alert(pause: P, endsAtMs?: number): void;
  /** what tells people of pauses in their place: they send no messages of their own then */
  teller?(): PauseTeller | undefined;
  recordBegun(pause: P): Promise<unknown>;
  recordEnded(pause: P, atMs: number, reason: string): Promise<unknown>;
}

/** Tells people of pauses in their place. */
export interface PauseTeller {
  /** epoch milliseconds: the next message, unless something happens before; Infinity when there is none */
  nextMessageAtMs(): number;
  /** sends it, if it is due */
  tellIfDue(): void;
}

/** What a domain's pause has beyond what all have. */
export type PauseContext<P extends Pause> = Omit<P, keyof Pause>;

/**
 * One pause at a time. It keeps its id, and so its alert, whatever else goes wrong meanwhile; is reminded of at growing
 * intervals; and is recorded when it begins and before it ends.
 */
export class Pauses<P extends Pause> {
  constructor(private readonly words: PauseWords<P>) {}

  get present(): P | undefined {
    return this.words.present();
  }

  /** Epoch milliseconds; Infinity when there is nothing to remind of. */
  get nextReminderAtMs(): number {
    return this.teller?.nextMessageAtMs() ?? this.present?.nextReminderAtMs ?? Infinity;
  }

  /** Begins a pause, which is recorded when this returns, or keeps the present one with what is found now. */
  async pauseOn(faults: Fault[], context: PauseContext<P>): Promise<void> {
    if (this.present) return this.words.put({ ...stillPaused(this.present, faults), ...context });
    await this.words.recordBegun(this.announce(faults, context));
  }

  /** Begins a pause without its record, which the caller owes: for a pause on the store of records itself. */
  announce(faults: Fault[], context: PauseContext<P>): P {
    const pause = { ...beginPause(uuid4(), Date.now(), faults, this.words.intervals), ...context } as P;
    this.words.put(pause);
    this.words.show();
    this.alert(pause);
    return pause;
  }

  /** Nothing is wrong any more, but an operator must say that the work may continue: told once. */
  noteRecovery(): void {
    if (!this.present || this.present.recovered) return;
    if (this.teller) return this.words.put({ ...this.present, recovered: true });
    this.tell({ ...reminded(this.present, Date.now(), this.words.intervals), recovered: true });
  }

  remindIfDue(): void {
    if (this.teller) return this.teller.tellIfDue();
    if (!this.present || steadyNow() < this.present.nextReminderAtMs) return;
    this.tell(reminded(this.present, Date.now(), this.words.intervals));
  }

  /** Ends the present pause after its end is recorded; does nothing without one. */
  async end(reason: string): Promise<void> {
    const pause = this.present;
    if (!pause) return;
    const atMs = Date.now();
    await this.words.recordEnded(pause, atMs, reason);
    this.words.ended();
    this.alert(pause, atMs);
  }

  private tell(pause: P): void {
    this.words.put(pause);
    this.alert(pause);
  }

  private get teller(): PauseTeller | undefined {
    return this.words.teller?.();
  }

  /** Asked after the pause is put, which is when another teller takes over. */
  private alert(pause: P, endsAtMs?: number): void {
    if (!this.teller) this.words.alert(pause, endsAtMs);
  }
}
