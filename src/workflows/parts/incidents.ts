import { CancellationScope, condition } from '@temporalio/workflow';
import {
  stepIncident,
  wakeAtMs,
  type Incident,
  type IncidentEvent,
  type IncidentMessage,
  type IncidentTimes,
} from '../../alerts/incident';
import type { PauseTeller } from './pauses';
import { steadyNow } from './steady-now';

/** How a domain keeps its incident, and tells people of it. The incident itself is part of the domain's state. */
export interface IncidentWords {
  present(): Incident | undefined;
  put(incident: Incident | undefined): void;
  /** as they are in force now */
  times(): IncidentTimes;
  /** sends one message about the incident as it is after the message; must not wait for the receiver */
  send(incident: Incident, message: IncidentMessage): void;
}

/**
 * One incident at a time. Its reminders and its end are on time whatever the workflow does meanwhile: a timer of their own
 * runs beside the main line, and a cancellation does not stop it.
 */
export class Incidents implements PauseTeller {
  private isWatched = false;

  constructor(private readonly words: IncidentWords) {}

  note(event: IncidentEvent): void {
    const before = this.words.present();
    const { incident, message } = stepIncident(before, event, steadyNow(), this.words.times());
    if (incident !== before) this.words.put(incident);
    const told = incident ?? before;
    if (message && told) this.words.send(told, message);
    this.watch();
  }

  nextMessageAtMs(): number {
    const open = this.words.present();
    return open === undefined ? Infinity : wakeAtMs(open, this.words.times());
  }

  /** The timer of its own does so too; a wait that wakes for it can look at how long the history has become. */
  tellIfDue(): void {
    if (steadyNow() >= this.nextMessageAtMs()) this.note({ type: 'time' });
  }

  /** Takes up the timer of an incident that an earlier run opened. */
  watch(): void {
    if (this.isWatched || this.words.present() === undefined) return;
    this.isWatched = true;
    void CancellationScope.nonCancellable(() => this.watchUntilResolved());
  }

  private async watchUntilResolved(): Promise<void> {
    for (let open = this.words.present(); open !== undefined; open = this.words.present()) {
      const armedMs = wakeAtMs(open, this.words.times());
      // A time that has moved on is looked at when the timer fires: a source that flaps must not cost a timer each time.
      const isEarlier = (): boolean => {
        const now = this.words.present();
        return now === undefined || wakeAtMs(now, this.words.times()) < armedMs;
      };
      await condition(isEarlier, Math.max(1, armedMs - steadyNow()));
      if (this.words.present() !== undefined) this.note({ type: 'time' });
    }
    this.isWatched = false;
  }
}
