import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditQuery, AuditRecord, AuditStore } from '../../src/audit/audit-record';
import type { JsonValue } from '../../src/json';
import { aRecord } from './a-record';

/** A store under test, and how to empty it. */
export interface StoreUnderTest {
  store: AuditStore;
  /** a second way into the same store; another connection where there can be one */
  other: AuditStore;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/** What every store of record keeps to, whatever it is made of. */
export function describeAuditStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`audit store contract on ${name}`, () => {
    let opened: StoreUnderTest;
    let store: AuditStore;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    }, 60_000);
    beforeEach(() => opened.empty());
    afterAll(() => opened?.close());

    describe('record', () => {
      it('returns the record it was given when none stood under its id', async () => {
        const record = aRecord();
        expect(await store.record(record)).toEqual(record);
      });

      it('returns the earlier record, unchanged, when one stands under its id', async () => {
        const first = aRecord({ outcome: 'allow', reasons: [] });
        await store.record(first);
        const second = aRecord({ decisionID: first.decisionID, outcome: 'deny', actor: 'someone else' });
        expect(await store.record(second)).toEqual(first);
        expect(await store.get(first.decisionID)).toEqual(first);
      });

      it('gives two writers of one id at once the same record', async () => {
        for (let round = 0; round < 10; round += 1) {
          const one = aRecord({ actor: 'one' });
          const two = { ...one, actor: 'two' };
          const [toOne, toTwo] = await Promise.all([store.record(one), opened.other.record(two)]);
          expect(toOne).toEqual(toTwo);
          expect(await store.get(one.decisionID)).toEqual(toOne);
        }
        expect(await store.list({})).toHaveLength(10);
      });

      it('keeps every one of many records written at once', async () => {
        const records = Array.from({ length: 40 }, () => aRecord());
        await Promise.all(records.map((record, i) => (i % 2 ? store : opened.other).record(record)));
        const ids = (await store.list({ limit: 100 })).map((record) => record.decisionID);
        expect(ids.sort()).toEqual(records.map((record) => record.decisionID).sort());
      });

      it.each<[string, JsonValue]>([
        ['an integer written with an exponent', 1e21],
        ['a fraction that binary cannot hold', 0.1],
        ['the smallest and the largest number', [5e-324, 1.7976931348623157e308, -9007199254740991]],
        ['null', null],
        ['empty collections', { a: [], b: {} }],
        ['keys out of order, and numbers as keys', { z: 1, a: 2, '10': 3, '9': 4 }],
        ['unicode beyond the basic plane', '🚀 Zürich 東京 \u202e \u2028'],
        ['the character U+0000', { 'a\u0000b': 'c\u0000' }],
        ['half a surrogate pair', '\ud800'],
        ['quotes and backslashes', `'"\\n\\'; drop table x; --`],
        ['a key named __proto__', JSON.parse('{"__proto__": {"x": 1}}') as JsonValue],
        ['two megabytes', { blob: 'x'.repeat(2_000_000), list: Array.from({ length: 10_000 }, (_, i) => i) }],
      ])('reads back character for character a fact that holds %s', async (_, value) => {
        const record = aRecord();
        record.usedFacts[0]!.value = value;
        const returned = await store.record(record);
        expect(JSON.stringify(returned)).toBe(JSON.stringify(record));
        expect(JSON.stringify(await store.get(record.decisionID))).toBe(JSON.stringify(record));
        expect(JSON.stringify((await store.list({}))[0])).toBe(JSON.stringify(record));
      });

      it('keeps what only some kinds of record have, and leaves out what was left out', async () => {
        const override: AuditRecord = {
          ...aRecord({ kind: 'override', outcome: 'allow', actor: 'ada', reason: 'known 👍', refersTo: 'd-1' }),
          deployment: { id: 'firmware-1.4.0', stage: 'canary', attributes: {} },
          leaseExpiresAt: '2026-11-01T12:15:00.000Z',
          errorDetails: [{ type: 'FactStale', message: 'too old', factId: 'max_pending', ageMs: 50, maxAgeMs: 45 }],
        };
        const pause = aRecord({ kind: 'pause', reason: 'FactStale' });
        for (const name of ['outcome', 'policySHA', 'configRev', 'runID'] as const) delete pause[name];
        for (const record of [override, pause]) {
          await store.record(record);
          expect(await store.get(record.decisionID)).toStrictEqual(record);
        }
      });
    });

    it('get gives undefined for an id that nobody wrote', async () => {
      expect(await store.get('no-such-id')).toBeUndefined();
    });

    describe('list', () => {
      const other = 'c'.repeat(64);
      const story = [
        aRecord({ decisionID: 'a', timestamp: '2026-11-01T12:00:00.000Z' }),
        aRecord({ decisionID: 'b', timestamp: '2026-11-01T12:00:00.001Z', stage: 'fleet', policySHA: other }),
        aRecord({
          decisionID: 'c',
          timestamp: '2026-11-01T12:00:00.002Z',
          deploymentID: 'camera-2',
          outcome: 'allow',
          reasons: [],
        }),
        aRecord({ decisionID: 'd', timestamp: '2026-11-01T12:00:00.003Z', kind: 'pause', outcome: undefined }),
        aRecord({
          decisionID: 'e',
          timestamp: '2026-11-01T12:00:00.003Z',
          reasons: ['max_delta limit exceeded: current 1 > configured 0', 'region_not_healthy: eu', 'just no'],
        }),
      ];
      beforeEach(async () => {
        for (const record of story) await store.record(record);
      });

      it.each<[string, AuditQuery, string]>([
        ['everything, newest first', {}, 'edcba'],
        ['oldest first when asked', { newestFirst: false }, 'abcde'],
        ['at most as many as asked', { limit: 2 }, 'ed'],
        ['one deployment', { deploymentID: 'camera-2' }, 'c'],
        ['one stage', { stage: 'fleet' }, 'b'],
        ['one outcome', { outcome: 'deny' }, 'eba'],
        ['one kind', { kind: 'pause' }, 'd'],
        ['one policy', { policySHA: other }, 'b'],
        ['from a time on, that time included', { since: '2026-11-01T12:00:00.002Z' }, 'edc'],
        ['up to a time, that time excluded', { until: '2026-11-01T12:00:00.002Z' }, 'ba'],
        ['a time in another zone', { since: '2026-11-01T13:00:00.002+01:00' }, 'edc'],
        ['a time span', { since: '2026-11-01T12:00:00.001Z', until: '2026-11-01T12:00:00.003Z' }, 'cb'],
        ['a reason by its code', { reasonCode: 'max_pending_limit_exceeded' }, 'dba'],
        ['any of several reasons', { reasonCode: 'region_not_healthy' }, 'e'],
        ['a reason without a code', { reasonCode: 'other' }, 'e'],
        ['no reason that merely begins alike', { reasonCode: 'max_pending' }, ''],
        ['filters together', { deploymentID: 'firmware-1.4.0', outcome: 'deny', stage: 'canary' }, 'ea'],
        ['nothing where nothing matches', { deploymentID: 'unknown' }, ''],
      ])('gives %s', async (_, query, ids) => {
        expect((await store.list(query)).map((record) => record.decisionID).join('')).toBe(ids);
      });

      it('gives 100 records when no limit is given', async () => {
        await Promise.all(Array.from({ length: 96 }, () => store.record(aRecord())));
        expect(await store.list({})).toHaveLength(100);
      });
    });

    describe('pages', () => {
      const at = (ms: number) => new Date(Date.parse('2026-11-01T12:00:00.000Z') + ms).toISOString();
      // Dictionaries put a before B, bytes do not; five records share one millisecond.
      const story = [
        aRecord({ decisionID: 'z', timestamp: at(0), manifestVersion: 'v1' }),
        ...['a', 'B', '_', '-1', 'é'].map((decisionID) =>
          aRecord({ decisionID, timestamp: at(1), manifestVersion: 'v2' }),
        ),
        aRecord({ decisionID: 'A', timestamp: at(2), manifestVersion: undefined }),
      ];
      const inOrder = ['z', '-1', 'B', '_', 'a', 'é', 'A'];
      beforeEach(async () => {
        for (const record of story) await store.record(record);
      });

      it.each([false, true])(
        'go on after any record without a gap or a repeat (newest first: %s)',
        async (newestFirst) => {
          const expected = newestFirst ? [...inOrder].reverse() : inOrder;
          for (const limit of [1, 2, 3, 7]) {
            const seen: string[] = [];
            for (let after: AuditQuery['after']; ;) {
              const page = await store.list({ newestFirst, limit, ...(after && { after }) });
              const last = page.at(-1);
              if (last === undefined) break;
              seen.push(...page.map(({ decisionID }) => decisionID));
              after = { timestamp: last.timestamp, decisionID: last.decisionID };
            }
            expect(seen).toEqual(expected);
          }
        },
      );

      it('go on after a place where no record stands', async () => {
        const found = await store.list({ newestFirst: false, after: { timestamp: at(1), decisionID: 'C' } });
        expect(found.map(({ decisionID }) => decisionID)).toEqual(['_', 'a', 'é', 'A']);
      });

      it.each([
        [{ manifestVersion: 'v1' }, ['z']],
        [{ manifestVersion: 'v2', stage: 'canary', limit: 2 }, ['-1', 'B']],
        [{ manifestVersion: 'v' }, []],
      ])('give the records of %j', async (query, ids) => {
        const found = await store.list({ ...query, newestFirst: false });
        expect(found.map(({ decisionID }) => decisionID)).toEqual(ids);
      });
    });
  });
}
