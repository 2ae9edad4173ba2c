import { isListed, toWatchEvent, type Filter, type WatchEvent } from '../serving/watch-events';
import type { PlanStore } from '../store/plan-store';
import type { EventFeed } from './event-feed';

/** What happens on a watch. */
export type WatchStep =
  | { step: 'event'; event: WatchEvent }
  /** all objects that there were at the begin have been told */
  | { step: 'listed'; revision: string }
  /** nothing happened for a while; everything up to the revision has been told */
  | { step: 'idle'; revision: string };

export interface WatchQuery {
  kind: string;
  filter: Filter;
  /** events behind this revision; absent: from now on, after the objects that there are where `list` says so */
  from?: string;
  list?: boolean;
  /** between two steps at most */
  idleMs: number;
}

const PAGE = 500;

/**
 * What happens to the objects of a kind, until `signal` is aborted. The reader sets the pace: nothing is kept for it but one page.
 *
 * @throws EventsExpiredError when the reader falls behind what the store keeps; GateError StoreUnavailable
 */
export async function* watchObjects(
  { store, feed }: { store: PlanStore; feed: EventFeed },
  { kind, filter, from, list = false, idleMs }: WatchQuery,
  signal: AbortSignal,
): AsyncGenerator<WatchStep> {
  let last = from;
  if (last === undefined && list) {
    const { namespace } = filter;
    const listed = await store.list({ kind, ...(namespace === undefined ? {} : { namespace }) });
    last = listed.revision;
    for (const object of listed.items) {
      if (!isListed(object.metadata, filter)) continue;
      yield { step: 'event', event: { type: 'ADDED', object, revision: object.metadata.resourceVersion ?? last } };
    }
    yield { step: 'listed', revision: last };
  }
  last ??= await store.revision();
  const heard = { news: false };
  let wake = (): void => undefined;
  const unfollow = feed.follow(() => {
    heard.news = true;
    wake();
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      heard.news = false;
      const events = await feed.after(last, PAGE);
      for (const stored of events) {
        last = stored.revision;
        if (stored.object.kind !== kind) continue;
        const event = toWatchEvent(stored, filter);
        if (event !== undefined) yield { step: 'event', event };
        if (signal.aborted) return;
      }
      if (events.length > 0 || heard.news) continue;
      const isIdle = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), idleMs);
        wake = () => {
          clearTimeout(timer);
          resolve(false);
        };
        if (signal.aborted) wake();
      });
      if (isIdle) yield { step: 'idle', revision: last };
    }
  } finally {
    unfollow();
    signal.removeEventListener('abort', stop);
  }
}
