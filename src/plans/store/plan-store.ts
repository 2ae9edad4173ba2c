import type { DomainRecord } from '../../audit/audit-record';
import type { WaitingRecords } from '../../audit/service/deliver-records';
import type { PlanObject } from '../object';
import type { StoredEvent } from '../serving/watch-events';

/** Where an object is. */
export interface ObjectKey {
  kind: string;
  namespace: string;
  name: string;
}

/** What a list holds, and where it begins and ends. */
export interface ListQuery {
  kind: string;
  /** absent: all */
  namespace?: string;
  /** objects behind this place only */
  after?: { namespace: string; name: string };
  limit?: number;
}

/** Objects in the order of their places, as they all were at one revision. */
export interface ListedObjects {
  items: PlanObject[];
  /** every event up to it is in the items, and none behind it */
  revision: string;
}

/** Which events are kept: the newest ones. */
export interface KeptEvents {
  /** so many at most */
  events: number;
  /** of the JSON of all their objects, in UTF-8, at most: the newest event goes too where it is larger */
  bytes: number;
}

/** A transaction under the store's one lock: no other writer, of any process, is between its reads and its writes. */
export interface WriteSession {
  get(key: ObjectKey): Promise<PlanObject | undefined>;
  list(query: ListQuery): Promise<PlanObject[]>;
  /** objects of a namespace that name an owner with this uid */
  owned(owner: { namespace: string; uid: string }): Promise<PlanObject[]>;
  /** @returns the object as it is stored, with its revision */
  create(object: PlanObject): Promise<PlanObject>;
  /** @param before as it was read in this session */
  update(object: PlanObject, before: PlanObject): Promise<PlanObject>;
  remove(object: PlanObject): Promise<void>;
  /** Stores an audit record with the writes: it waits until it is brought to the audit log. */
  record(record: DomainRecord): void;
}

/** The answer to a question about events that are gone: the asker lists again. */
export class EventsExpiredError extends Error {
  override readonly name = 'EventsExpiredError';
  constructor(
    readonly after: string,
    /** the oldest revision that can be asked about */
    readonly oldest: string,
  ) {
    super(`Events after revision ${after} are not kept any more; the oldest that can be asked about is ${oldest}`);
  }
}

/** The cause of a StoreUnavailable where others kept the store busy for too long: nothing was begun. */
export class StoreBusyError extends Error {
  override readonly name = 'StoreBusyError';
}

/**
 * Objects, their revisions, and an event for each write. Revisions are given in the order in which writes become visible, so
 * that who has read up to one has missed nothing before it.
 */
export interface PlanStore extends WaitingRecords {
  /**
   * Carries out writes as one: all are stored with their events, or none. Reads of the session see its own writes; `change`
   * uses nothing but the session, since an embedded store has one connection.
   *
   * @throws what `change` throws, after all is undone; GateError StoreUnavailable, after which it is not known whether the
   *   writes were stored: who asks again reads first
   */
  write<T>(change: (session: WriteSession) => Promise<T>): Promise<T>;
  get(key: ObjectKey): Promise<PlanObject | undefined>;
  list(query: ListQuery): Promise<ListedObjects>;
  /** the revision of the last write, `0` before the first */
  revision(): Promise<string>;
  /**
   * Events behind a revision, in order: fewer than `limit` where they are large, and none only where there are none.
   *
   * @throws EventsExpiredError when some of them are gone
   */
  eventsAfter(revision: string, limit: number): Promise<StoredEvent[]>;
  /** Calls back whenever there may be events: after each write, by any process, and after a lost connection. */
  follow(onNews: () => void): () => void;
  /** Forgets the oldest events, until no more are left than are kept. @returns how many went */
  prune(keep: KeptEvents): Promise<number>;
  close(): Promise<void>;
}
