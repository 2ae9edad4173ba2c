import { isOwnNote, type WantedSchedule } from './wanted-schedules';

/** A schedule as Temporal lists it. */
export interface FoundSchedule {
  id: string;
  paused: boolean;
  note?: string;
}

/** What makes the schedules that exist those that are wanted. */
export interface ScheduleChanges {
  create: WantedSchedule[];
  update: WantedSchedule[];
  /** what the list shows of these is as it should be */
  same: WantedSchedule[];
  /** ids */
  remove: string[];
  /** ids of those that a person paused in Temporal: they stay so until a person lets them run there */
  held: string[];
}

/** The difference of what is wanted and what is there, by id. */
export function scheduleChanges(wanted: readonly WantedSchedule[], found: readonly FoundSchedule[]): ScheduleChanges {
  const present = new Map(found.map((one) => [one.id, one]));
  const ids = new Set(wanted.map(({ id }) => id));
  const changes: ScheduleChanges = { create: [], update: [], same: [], remove: [], held: [] };
  for (const one of wanted) {
    const there = present.get(one.id);
    if (there === undefined) changes.create.push(one);
    else if (there.paused === one.paused && there.note === one.note) changes.same.push(one);
    else if (there.paused && !one.paused && !isOwnNote(there.note)) changes.held.push(one.id);
    else changes.update.push(one);
  }
  changes.remove = found.filter(({ id }) => !ids.has(id)).map(({ id }) => id);
  return changes;
}
