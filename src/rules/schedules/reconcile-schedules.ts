import { messageOf } from '../../kernel/message-of';
import type { PinnedPolicies, PolicySource } from '../execution/policy-source';
import { scheduleChanges, type FoundSchedule } from './schedule-changes';
import type { SchedulePause } from './schedule-pause';
import { wantedSchedules, type WantedSchedule } from './wanted-schedules';

type WantedById = ReadonlyMap<string, WantedSchedule>;

/** The schedules of one prefix. Each method may be called twice: the second call finds nothing to do. */
export interface ScheduleBook {
  readonly prefix: string;
  /** may lag behind by seconds */
  list(): Promise<FoundSchedule[]>;
  /** Whether the schedule is as wanted in every part, also in those that a list does not show. */
  isKept(wanted: WantedSchedule): Promise<boolean>;
  /**
   * Makes a schedule what `wanted` says, which is asked after each reading of the schedule and again once it is written: what
   * another one wrote in between, on a later word of the store, is not undone. One that a person paused stays so.
   *
   * @param wanted undefined: no schedule
   * @throws Error where others keep changing it
   */
  put(id: string, wanted: () => Promise<WantedSchedule | undefined>): Promise<void>;
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
 * once, also where one of them was slow: each asks the store again when it writes. If the store cannot be read, nothing is
 * changed.
 *
 * @throws what the store or the list throws
 */
export function reconcileSchedules({ policies, pauses, book, pass }: ReconcileParts): Promise<Reconciled> {
  return reconcileWanted(wantedOf({ policies, pauses, book }), book, pass);
}

/**
 * The same for the schedules of any domain.
 *
 * @throws what `wanted` or the list throws
 */
export async function reconcileWanted(
  wanted: () => Promise<WantedById>,
  book: ScheduleBook,
  pass: number,
): Promise<Reconciled> {
  // The list comes first: a schedule created since then is put again, which changes nothing, and never removed.
  const found = await book.list();
  const { create, update, same, remove, held } = scheduleChanges([...(await wanted()).values()], found);
  const put = (id: string): Promise<void> => book.put(id, async () => (await wanted()).get(id));
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
  const removed = await all(remove, (id) => id, put);
  const updated = await all(
    [...update].sort((one, other) => Number(other.paused) - Number(one.paused)),
    ({ id }) => id,
    ({ id }) => put(id),
  );
  let restored = 0;
  for (const one of inTurn(same, pass)) {
    await attempt(one.id, async () => {
      if (await book.isKept(one)) return;
      await put(one.id);
      restored += 1;
    });
  }
  const created = await all(
    create,
    ({ id }) => id,
    ({ id }) => put(id),
  );
  return { created, updated: updated + restored, removed, held, failures };
}

/** The schedules that the store wants now, by id; worked out again only where something changed. */
function wantedOf({ policies, pauses, book }: Omit<ReconcileParts, 'pass'>): () => Promise<WantedById> {
  let known: { pinned: PinnedPolicies; paused: string; byId: WantedById } | undefined;
  return async () => {
    const [pinned, list] = await Promise.all([policies.current(), pauses()]);
    const paused = JSON.stringify(list);
    if (known === undefined || known.pinned !== pinned || known.paused !== paused) {
      const byId = new Map(wantedSchedules(pinned, list, book.prefix).map((one) => [one.id, one]));
      known = { pinned, paused, byId };
    }
    return known.byId;
  };
}

/** The part of a list that a pass looks at; all of it after some passes. */
function inTurn<T>(items: readonly T[], pass: number): T[] {
  if (items.length <= INSPECTED) return [...items];
  const from = (pass * INSPECTED) % items.length;
  return [...items.slice(from), ...items.slice(0, from)].slice(0, INSPECTED);
}
