import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import type { ProgramLogger } from '../../platform/observability/program-logger';
import { compareRevisions } from '../serving/resource-version';
import type { StoredEvent } from '../serving/watch-events';
import { EventsExpiredError, type PlanStore } from '../store/plan-store';

/** The events of the store, read once for all that follow them in this process. */
export interface EventFeed {
  /**
   * Events behind a revision, in order, as far as this feed has read.
   *
   * @throws EventsExpiredError when some of them are gone; GateError StoreUnavailable for those that only the store has
   */
  after(revision: string, limit: number): Promise<readonly StoredEvent[]>;
  /** Calls back when there are new events. @returns how to end it */
  follow(onNews: () => void): () => void;
  close(): Promise<void>;
}

export interface EventFeedOptions {
  store: Pick<PlanStore, 'eventsAfter' | 'revision' | 'follow'>;
  timers: Timers;
  logger: Pick<ProgramLogger, 'warn'>;
  /** newest events that are kept in memory; older ones are read from the store. @default 1024 */
  keep?: number;
  /** of the texts of their objects, in UTF-16 units: fewer events are kept where they are large. @default 32 Mi */
  keepLength?: number;
  /** the store is asked this often even when it says nothing: a notification may be lost. @default 5000 */
  pollMs?: number;
}

const PAGE = 500;

/** Reads events as they come. However many follow, each event is read and parsed once. */
export async function createEventFeed(options: EventFeedOptions): Promise<EventFeed> {
  const { store, timers, logger, keep = 1024, keepLength = 32 * 1024 * 1024, pollMs = 5_000 } = options;
  let events: StoredEvent[] = [];
  let length = 0;
  /** every event behind it is in `events`, up to `last` */
  let first = await store.revision();
  let last = first;
  const followers = new Set<() => void>();
  let reading: Promise<void> | undefined;
  let again = false;

  async function readOn(): Promise<void> {
    for (;;) {
      again = false;
      const page = await store.eventsAfter(last, PAGE).catch(async (error: unknown) => {
        if (!(error instanceof EventsExpiredError)) throw error;
        // Whoever was behind is told by the store that what it asks for is gone.
        events = [];
        length = 0;
        first = last = await store.revision();
        return [];
      });
      if (page.length > 0) {
        events.push(...page);
        length += lengthOf(page);
        last = page.at(-1)!.revision;
        forgetOldest();
        for (const follower of followers) follower();
      } else if (!again) return;
    }
  }

  function forgetOldest(): void {
    let count = Math.max(0, events.length - keep);
    let over = length - lengthOf(events.slice(0, count)) - keepLength;
    for (; over > 0; count += 1) over -= events[count]!.length;
    if (count === 0) return;
    const gone = events.splice(0, count);
    length -= lengthOf(gone);
    first = gone.at(-1)!.revision;
  }

  /** One read after another, and one more for news that came during the last. */
  function read(): Promise<void> {
    again = true;
    return (reading ??= readOn().finally(() => (reading = undefined)));
  }

  const unfollow = store.follow(() => {
    read().catch((error: unknown) => logger.warn({ error }, 'Events of plans could not be read; they are read later'));
  });
  const polling = repeat({
    timers,
    everyMs: pollMs,
    act: read,
    onFailure: (error) => logger.warn({ error }, 'Events of plans could not be read; they are read later'),
  });

  return {
    async after(revision, limit) {
      if (compareRevisions(revision, first) < 0) return store.eventsAfter(revision, limit);
      const begin = events.findIndex((event) => compareRevisions(event.revision, revision) > 0);
      return begin === -1 ? [] : events.slice(begin, begin + limit);
    },
    follow(onNews) {
      const follower = (): void => onNews();
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    async close() {
      unfollow();
      followers.clear();
      await polling.stop();
      await reading?.catch(() => undefined);
    },
  };
}

function lengthOf(events: readonly StoredEvent[]): number {
  return events.reduce((sum, event) => sum + event.length, 0);
}
