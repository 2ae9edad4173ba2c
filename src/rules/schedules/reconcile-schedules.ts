import { messageOf } from '../../kernel/message-of';
import type { PolicySource } from '../execution/policy-source';
import { scheduleChanges, type FoundSchedule } from './schedule-changes';
import type { SchedulePause } from './schedule-pause';
import { wantedSchedules, type WantedSchedule } from './wanted-schedules';

/** The schedules of one prefix. Each method may be called twice: the second call finds nothing to do. */
export interface ScheduleBook {
  readonly prefix: string;
  /** may lag behind by seconds */
  list(): Promise<FoundSchedule[]>;
  /** Whether the schedule is as wanted in every part, also in those that a list does not show. */
  isKept(wanted: WantedSchedule): Promise<boolean>;
  /** Creates the schedule, or makes the one that is there as it should be. */
  put(wanted: WantedSchedule): Promise<void>;
  remove(id: string): Promise<void>;
}

export interface ReconcileParts {
  policies: PolicySource;
  pauses(): Promise<SchedulePause[]>;
  book: ScheduleBook;
  /** which time this is, from 0: of many schedules, each time looks at other ones in full */
  pass: number;
}

/** How many schedules one pass looks at in full: each costs a call. */
const INSPECTED = 60;

export interface Reconciled {
  created: number;
  updated: number;
  removed: number;
  /** ids of those that a person paused in Temporal */
  held: string[];
  /** what could not be done, a sentence each; the next time tries again */
  failures: string[];
}

/**
 * Makes the schedules what the store says. It has no state: after one that died, the next does the rest, and two may run at
 * once. If the store cannot be read, nothing is changed.
 *
 * @throws what the store or the list throws
 */
export async function reconcileSchedules({ policies, pauses, book, pass }: ReconcileParts): Promise<Reconciled> {
  // The list comes first: a schedule created since then is put again, which changes nothing, and never removed.
  const found = await book.list();
  const [pinned, paused] = await Promise.all([policies.current(), pauses()]);
  const { create, update, same, remove, held } = scheduleChanges(wantedSchedules(pinned, paused, book.prefix), found);
  const failures: string[] = [];
  const attempt = async (id: string, act: () => Promise<void>): Promise<number> => {
    try {
      await act();
      return 1;
    } catch (error) {
      failures.push(`${id}: ${messageOf(error)}`);
      return 0;
    }
  };
  const all = async <T>(items: readonly T[], id: (item: T) => string, act: (item: T) => Promise<void>) => {
    let count = 0;
    for (const item of items) count += await attempt(id(item), () => act(item));
    return count;
  };
  // Those that must no longer run come first.
  const removed = await all(
    remove,
    (id) => id,
    (id) => book.remove(id),
  );
  const updated = await all(
    [...update].sort((one, other) => Number(other.paused) - Number(one.paused)),
    ({ id }) => id,
    (one) => book.put(one),
  );
  let restored = 0;
  for (const one of inTurn(same, pass)) {
    await attempt(one.id, async () => {
      if (await book.isKept(one)) return;
      await book.put(one);
      restored += 1;
    });
  }
  const created = await all(
    create,
    ({ id }) => id,
    (one) => book.put(one),
  );
  return { created, updated: updated + restored, removed, held, failures };
}

/** The part of a list that a pass looks at; all of it after some passes. */
function inTurn<T>(items: readonly T[], pass: number): T[] {
  if (items.length <= INSPECTED) return [...items];
  const from = (pass * INSPECTED) % items.length;
  return [...items.slice(from), ...items.slice(0, from)].slice(0, INSPECTED);
}
