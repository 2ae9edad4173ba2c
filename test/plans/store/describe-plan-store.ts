import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DomainRecord } from '../../../src/audit/audit-record';
import type { PlanObject } from '../../../src/plans/object';
import type { StoredEvent } from '../../../src/plans/serving/watch-events';
import { EventsExpiredError, type PlanStore } from '../../../src/plans/store/plan-store';
import { eventually } from '../../support/eventually';
import { anObject } from '../objects';

export interface OpenStores {
  store: PlanStore;
  /** the store of another server on the same tables; the same one where there can be no other */
  other: PlanStore;
  close(): Promise<void>;
}

const goal = (name: string, over: Partial<PlanObject['metadata']> = {}): PlanObject =>
  anObject('Goal', name, { description: 'A \u0000 and \ud800 text' }, { namespace: 'prod', ...over });
const keyOf = ({ kind, metadata }: PlanObject) => ({ kind, namespace: metadata.namespace, name: metadata.name });

const newest = (events: number, bytes = 2 ** 40) => ({ events, bytes });

const aRecord = (decisionID: string): DomainRecord => ({
  ...{ schemaVersion: 2, domain: 'plans', decisionID, kind: 'created', subject: 'goal/prod/a', part: '' },
  ...{ timestamp: '2026-11-27T10:00:00.000Z', actor: 'ann', reasons: [], errorDetails: [], usedFacts: [] },
});

/** What every store of plans does. */
export function describePlanStore(name: string, open: () => Promise<OpenStores>): void {
  describe(`a store of plans in ${name}`, () => {
    let stores: OpenStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores?.close());

    const put = (store: PlanStore, object: PlanObject): Promise<PlanObject> =>
      store.write(async (session) => {
        const before = await session.get(keyOf(object));
        return before === undefined ? session.create(object) : session.update(object, before);
      });
    const told = async (store: PlanStore, after: string): Promise<StoredEvent[]> => store.eventsAfter(after, 10_000);

    test('audit records are stored with their writes, once each, and go when they were delivered', async () => {
      const { store, other } = stores;
      const records = ['1', '2', '1'].map((id) => aRecord(id));
      await store.write((session) => Promise.resolve(records.forEach((each) => session.record(each))));
      const failing = store.write((session) => {
        session.record(aRecord('3'));
        return Promise.reject(new Error('undone'));
      });
      await expect(failing).rejects.toThrow('undone');
      expect(await other.waitingRecords(1)).toEqual([aRecord('1')]);
      await other.delivered(['1']);
      expect(await store.waitingRecords(10)).toEqual([aRecord('2')]);
      await store.delivered(['1', '2']);
      await store.delivered([]);
      expect(await store.waitingRecords(10)).toEqual([]);
    });

    test('an object is stored as it was, with the revision of its write, and each write has its event', async () => {
      const { store } = stores;
      const start = await store.revision();
      const made = await put(store, goal('a'));
      const changed = await put(store, goal('a', { labels: { tier: 'gold' } }));
      const again = await put(store, goal('a', { labels: { tier: 'tin' } }));
      await store.write((session) => session.remove(again));
      const revisions = [1n, 2n, 3n, 4n].map((more) => String(BigInt(start) + more));
      expect([made, changed, again].map(({ metadata }) => metadata.resourceVersion)).toEqual(revisions.slice(0, 3));
      expect(made.spec).toEqual(goal('a').spec);
      expect(await store.get(keyOf(made))).toBeUndefined();
      const [writtenMs, length] = [1, 2].map(() => expect.any(Number) as unknown as number) as [number, number];
      expect(await told(store, start)).toEqual([
        { revision: revisions[0], type: 'ADDED', object: made, length, writtenMs },
        { revision: revisions[1], type: 'MODIFIED', object: changed, length, writtenMs },
        { revision: revisions[2], type: 'MODIFIED', object: again, labelsBefore: { tier: 'gold' }, length, writtenMs },
        { revision: revisions[3], type: 'DELETED', object: again, length, writtenMs },
      ]);
      expect(await store.revision()).toBe(revisions[3]);
    });

    test('writes that fail together leave nothing, and the error is the one that was thrown', async () => {
      const { store } = stores;
      const start = await store.revision();
      const failing = store.write(async (session) => {
        const made = await session.create(goal('gone'));
        expect(await session.get(keyOf(made))).toEqual(made);
        throw new RangeError('no');
      });
      await expect(failing).rejects.toThrow(RangeError);
      expect([await store.revision(), await store.get(keyOf(goal('gone'))), await told(store, start)]).toEqual([
        start,
        undefined,
        [],
      ]);
    });

    test('a write that stores nothing uses up no revision', async () => {
      const start = await stores.store.revision();
      expect(await stores.store.write(() => Promise.resolve('read'))).toBe('read');
      expect(await stores.store.revision()).toBe(start);
    });

    test('a list has its objects in the order of their places, page by page', async () => {
      const { store } = stores;
      for (const [name, namespace] of [
        ['b', 'zz'],
        ['a-b', 'zz'],
        ['a', 'zz'],
        ['a', 'yy'],
      ] as const) {
        await put(store, goal(name, { namespace }));
      }
      const places = async (query: object) => {
        const { items } = await store.list({ kind: 'Goal', ...query });
        return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
      };
      expect(await places({})).toEqual(['yy/a', 'zz/a', 'zz/a-b', 'zz/b']);
      expect(await places({ namespace: 'zz', limit: 2 })).toEqual(['zz/a', 'zz/a-b']);
      expect(await places({ after: { namespace: 'zz', name: 'a' }, limit: 2 })).toEqual(['zz/a-b', 'zz/b']);
      expect(await places({ namespace: 'none' })).toEqual([]);
      expect((await store.list({ kind: 'Plan' })).items).toEqual([]);
      expect((await store.list({ kind: 'Goal' })).revision).toBe(await store.revision());
    });

    test('a list and a prune of more than one statement takes are whole', async () => {
      const { store } = stores;
      const names = Array.from({ length: 1_005 }, (_, at) => `n${String(at).padStart(5, '0')}`);
      await store.write(async (session) => {
        for (const name of names) await session.create(goal(name, { namespace: 'many' }));
        expect(await session.list({ kind: 'Goal', namespace: 'many' })).toHaveLength(names.length);
      });
      const listed = async (query: object) =>
        (await store.list({ kind: 'Goal', namespace: 'many', ...query })).items.map(({ metadata }) => metadata.name);
      expect(await listed({})).toEqual(names);
      expect(await listed({ limit: 1_000 })).toEqual(names.slice(0, 1_000));
      expect(await listed({ limit: 1_002, after: { namespace: 'many', name: 'n00000' } })).toEqual(
        names.slice(1, 1_003),
      );
      const last = BigInt(await store.revision());
      expect(await store.prune(newest(3))).toBeGreaterThan(1_000);
      expect((await told(store, String(last - 3n))).map(({ revision }) => BigInt(revision))).toEqual([
        ...[last - 2n, last - 1n, last],
      ]);
      await expect(told(store, String(last - 4n))).rejects.toThrow(EventsExpiredError);
    });

    test('events with large objects come a few at a time, at least one', async () => {
      const { store } = stores;
      const start = BigInt(await store.revision());
      const note = 'x'.repeat(5 * 1024 * 1024);
      for (let turn = 0; turn < 3; turn += 1) {
        await put(store, goal('large', { annotations: { note: `${turn}${note}` } }));
      }
      const revisions: string[][] = [];
      for (let after = String(start); ;) {
        const events = await told(store, after);
        if (events.length === 0) break;
        revisions.push(events.map(({ revision }) => revision));
        after = events.at(-1)!.revision;
      }
      expect(revisions).toEqual([[String(start + 1n), String(start + 2n)], [String(start + 3n)]]);
    });

    test('two servers that write at once both see every event in order, none lost or doubled', async () => {
      const { store, other } = stores;
      const start = await store.revision();
      const seen = new Map([
        [store, [] as string[]],
        [other, [] as string[]],
      ]);
      const stops = [...seen].map(([each, revisions]) => {
        let reading = Promise.resolve();
        // One read after another, as a watcher does: it asks for what is behind its last one.
        const read = async (): Promise<void> => {
          for (const { revision } of await told(each, revisions.at(-1) ?? start)) revisions.push(revision);
        };
        return each.follow(() => {
          reading = reading.then(read);
        });
      });
      const WRITES = 20;
      const writing = [store, other].map(async (each, server) => {
        for (let at = 0; at < WRITES; at += 1) await put(each, goal(`w${server}-${at % 3}`));
      });
      await Promise.all(writing);
      const wanted = Array.from({ length: 2 * WRITES }, (_, at) => String(BigInt(start) + BigInt(at + 1)));
      for (const revisions of seen.values()) {
        await eventually('every event', () => revisions.length >= wanted.length);
        expect(revisions).toEqual(wanted);
      }
      stops.forEach((stop) => stop());
    });

    test('of two that read and write the same object at once, the second sees what the first wrote', async () => {
      const count = (store: PlanStore): Promise<unknown> =>
        store.write(async (session) => {
          const before = await session.get(keyOf(goal('counter')));
          const at = Number(before?.metadata.annotations?.at ?? 0) + 1;
          const next = goal('counter', { annotations: { at: String(at) } });
          return before === undefined ? session.create(next) : session.update(next, before);
        });
      await Promise.all([stores.store, stores.other, stores.store, stores.other].map(count));
      const counted = await stores.store.get(keyOf(goal('counter')));
      expect(counted?.metadata.annotations).toEqual({ at: '4' });
    });

    test('who asks for events that are gone is told so, and who asks for kept ones gets them', async () => {
      const { store } = stores;
      await put(store, goal('p'));
      const last = await store.revision();
      await put(store, goal('p', { labels: { a: 'b' } }));
      expect(await store.prune(newest(1))).toBeGreaterThan(0);
      expect((await told(store, last)).map(({ type }) => type)).toEqual(['MODIFIED']);
      await expect(told(store, '0')).rejects.toThrow(EventsExpiredError);
      expect(await store.prune(newest(1))).toBe(0);
      expect(await store.get(keyOf(goal('p')))).toBeDefined();
    });

    test('the oldest events go until the objects of those that are left are small enough together', async () => {
      const { store } = stores;
      await store.prune(newest(0));
      const note = 'ä'.repeat(50_000);
      for (let turn = 0; turn < 5; turn += 1)
        await put(store, goal('wide', { annotations: { note: `${turn}${note}` } }));
      const last = BigInt(await store.revision());
      // Each has 100,000 bytes and some: three of them have no place, two have.
      expect(await store.prune(newest(100, 300_000))).toBe(3);
      expect(await store.prune(newest(100, 300_000))).toBe(0);
      expect((await told(store, String(last - 2n))).map(({ revision }) => revision)).toEqual([
        String(last - 1n),
        String(last),
      ]);
      await expect(told(store, String(last - 3n))).rejects.toThrow(EventsExpiredError);
      // The newest has no place either; who has read it has missed nothing.
      expect(await store.prune(newest(100, 50_000))).toBe(2);
      expect(await told(store, String(last))).toEqual([]);
      await put(store, goal('wide'));
      expect(await store.prune(newest(100, 50_000))).toBe(0);
      expect(await told(store, String(last))).toHaveLength(1);
    });

    test('what an owner owns is found by its uid, as it is after each write, and in its namespace alone', async () => {
      const { store } = stores;
      const ownedBy = (...uids: string[]) =>
        uids.map((uid) => ({ apiVersion: 'planspec.io/v1alpha1', kind: 'Plan', name: 'p', uid }));
      const owned = async (uid: string, namespace = 'owned') => {
        const found = await store.write((session) => session.owned({ namespace, uid }));
        return found.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      };
      const at = { namespace: 'owned' };
      await put(store, goal('a', { ...at, ownerReferences: ownedBy('u1', 'u2', 'u1') }));
      await put(store, goal('b', { ...at, ownerReferences: ownedBy('u1', 'odd \u0000', 'x'.repeat(3_000)) }));
      await put(store, goal('c', { ...at, annotations: { note: 'u1' } }));
      await put(store, goal('b', { namespace: 'elsewhere', ownerReferences: ownedBy('u1') }));
      expect([await owned('u1'), await owned('u2'), await owned('u3'), await owned('u1', 'elsewhere')]).toEqual([
        ['Goal a', 'Goal b'],
        ['Goal a'],
        [],
        ['Goal b'],
      ]);
      await put(store, goal('a', { ...at, ownerReferences: ownedBy('u3') }));
      await put(store, goal('c', { ...at, ownerReferences: ownedBy('u3') }));
      await put(store, goal('b', at));
      expect([await owned('u1'), await owned('u2'), await owned('u3')]).toEqual([[], [], ['Goal a', 'Goal c']]);
      await store.write(async (session) => {
        await session.remove((await session.get(keyOf(goal('a', at))))!);
        expect((await session.owned({ namespace: 'owned', uid: 'u3' })).map(({ metadata }) => metadata.name)).toEqual([
          'c',
        ]);
      });
      await put(store, goal('a', at));
      expect(await owned('u3')).toEqual(['Goal c']);
    });
  });
}
