import {
  AuditDomain,
  type AuditQuery,
  type AuditRecord,
  type AuditStore,
  type DomainRecord,
  type GateRecord,
} from '../audit/audit-record';
import type { JsonValue } from '../kernel/json';
import type { TestFramework } from './test-framework';
import { aDomainRecord, aRecord as aGateRecord } from './a-record';

/** A store under test, and how to empty it. */
export interface StoreUnderTest {
  store: AuditStore;
  /** a second way into the same store; another connection where there can be one */
  other: AuditStore;
  empty(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What every store of record keeps to, whatever it is made of, for the records of every domain.
 *
 * @param hasParts whether the store has a place for parts, the facts of decisions that are still to be recorded
 */
export function describeAuditStore(
  framework: TestFramework,
  name: string,
  open: () => Promise<StoreUnderTest>,
  { hasParts = true }: { hasParts?: boolean } = {},
): void {
  const { describe, beforeAll, beforeEach, afterAll } = framework;
  describe(`audit store contract on ${name}`, () => {
    let opened: StoreUnderTest;
    beforeAll(async () => {
      opened = await open();
    });
    beforeEach(() => opened.empty());
    afterAll(async () => opened?.close());

    for (const domain of Object.values(AuditDomain)) describeDomain(framework, domain, () => opened);
    describeDomainsSideBySide(framework, () => opened.store);
    if (hasParts) describeParts(framework, () => opened);
  });
}

/** Facts of decisions that are still to be recorded. */
function describeParts({ it, expect }: TestFramework, opened: () => StoreUnderTest): void {
  const aPart = (): Uint8Array =>
    Uint8Array.from({ length: 300_000 }, (_byte, at) => (at * 31 + Math.random() * 9) % 256);
  const parts = () => {
    const { store, other } = opened();
    if (!store.parts || !other.parts) throw new Error('this store has no place for parts');
    return { one: store.parts, two: other.parts };
  };

  it('a part comes back byte for byte, through another connection too, and may be put twice', async () => {
    const bytes = aPart();
    const ref = await parts().one.put(bytes);
    expect(ref).toMatchObject({ bytes: bytes.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await parts().two.put(bytes)).toEqual(ref);
    expect(Buffer.from((await parts().two.get(ref))!).equals(Buffer.from(bytes))).toBe(true);
  });

  it('a part that was never there is undefined', async () => {
    expect(await parts().one.get({ sha256: '0'.repeat(64), bytes: 1, day: '2026-11-01' })).toBeUndefined();
  });

  it('a sweep takes the parts of before a time, and no later ones', async () => {
    const ref = await parts().one.put(aPart());
    expect(await parts().two.sweep(Date.parse('2020-01-01T00:00:00Z'))).toBe(0);
    expect(await parts().two.get(ref)).toBeDefined();
    expect(await parts().two.sweep(Date.parse('2100-01-01T00:00:00Z'))).toBeGreaterThanOrEqual(1);
    expect(await parts().one.get(ref)).toBeUndefined();
  });
}

/** A record of the gate as another domain would have it. */
function inDomain(domain: AuditDomain, record: GateRecord): AuditRecord {
  if (domain === 'gate') return record;
  const entries = Object.entries(record).flatMap(([name, value]) => {
    if (name === 'deploymentID')
      return [
        ['domain', domain],
        ['subject', value],
      ];
    return name === 'deployment' ? [] : [[name === 'stage' ? 'part' : name, value]];
  });
  return Object.fromEntries(entries) as AuditRecord;
}

/** A question about the gate's records as one about another domain's. */
function askedIn(domain: AuditDomain, { deploymentID, stage, ...query }: AuditQuery): AuditQuery {
  if (domain === 'gate') return { deploymentID, stage, ...query };
  return { ...query, domain, subject: deploymentID, part: stage };
}

function describeDomain(
  { describe, it, beforeEach, expect }: TestFramework,
  domain: AuditDomain,
  opened: () => StoreUnderTest,
): void {
  describe(`for ${domain}`, () => {
    const aRecord = (over: Partial<GateRecord> = {}) => inDomain(domain, aGateRecord(over));
    const store: Pick<AuditStore, 'record' | 'get' | 'list'> = {
      record: (record) => opened().store.record(record),
      get: (id) => opened().store.get(id),
      list: (query) => opened().store.list(askedIn(domain, query)),
    };

    describe('record', () => {
      it('the store returns the record it was given when none stood under its id', async () => {
        const record = aRecord();
        expect(await store.record(record)).toEqual(record);
      });

      it('the store returns the earlier record, unchanged, when one stands under its id', async () => {
        const first = aRecord({ outcome: 'allow', reasons: [] });
        await store.record(first);
        const second = aRecord({ decisionID: first.decisionID, outcome: 'deny', actor: 'someone else' });
        expect(await store.record(second)).toEqual(first);
        expect(await store.get(first.decisionID)).toEqual(first);
      });

      it('the store gives two writers of one id at once the same record', async () => {
        for (let round = 0; round < 10; round += 1) {
          const one = aRecord({ actor: 'one' });
          const two = { ...one, actor: 'two' };
          const [toOne, toTwo] = await Promise.all([store.record(one), opened().other.record(two)]);
          expect(toOne).toEqual(toTwo);
          expect(await store.get(one.decisionID)).toEqual(toOne);
        }
        expect(await store.list({})).toHaveLength(10);
      });

      it('the store keeps every one of many records written at once', async () => {
        const records = Array.from({ length: 40 }, () => aRecord());
        await Promise.all(records.map((record, i) => (i % 2 ? store : opened().other).record(record)));
        const ids = (await store.list({ limit: 100 })).map((record) => record.decisionID);
        expect(ids.sort()).toEqual(records.map((record) => record.decisionID).sort());
      });

      {
        const cases: readonly [string, JsonValue][] = [
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
          ['a key named __proto__', Object.fromEntries([['__proto__', { x: 1 }]])],
          ['empty strings', { '': '', nested: [''] }],
          ['an object forty deep', Array.from({ length: 40 }).reduce<JsonValue>((inner) => ({ inner: [inner] }), 1)],
          ['numbers at the ends of what a number can be', [1e308, -1e308, 1e-308, 0, 1e-7, 123456789012345680000]],
          ['two megabytes', { blob: 'x'.repeat(2_000_000), list: Array.from({ length: 10_000 }, (_, i) => i) }],
        ];
        for (const [what, value] of cases)
          it(`the store reads back character for character a fact that holds ${what}`, async () => {
            const record = aRecord();
            record.usedFacts[0]!.value = value;
            const returned = await store.record(record);
            expect(JSON.stringify(returned)).toBe(JSON.stringify(record));
            expect(JSON.stringify(await store.get(record.decisionID))).toBe(JSON.stringify(record));
            expect(JSON.stringify((await store.list({}))[0])).toBe(JSON.stringify(record));
          });
      }

      {
        const cases: readonly [string, Partial<GateRecord>][] = [
          ['empty strings', { actor: '', reason: '', manifestVersion: '', refersTo: '' }],
          ['the character U+0000', { actor: 'a\u0000da', reason: '\u0000' }],
          ['half a surrogate pair', { actor: '\ud800', reason: 'x\udc00y', runID: '\udfff' }],
          ['unicode beyond the basic plane', { actor: '👩‍🚀', reason: 'Zürich 東京', manifestVersion: '版' }],
          ['a reason of 100,000 characters', { reason: 'ä'.repeat(100_000) }],
          [
            'reasons that are empty, long, alike and without a code',
            { reasons: ['', ':', 'x: '.repeat(9_000), 'a', 'a'] },
          ],
          [
            'thousands of reasons',
            { reasons: Array.from({ length: 9_000 }, (_, i) => `region_not_healthy: region ${i}`) },
          ],
          ['no facts, no reasons', { usedFacts: [], reasons: [] }],
          ['a duration that is no whole number', { evalDurationNS: 1.5 }],
          ['a duration of nothing', { evalDurationNS: 0 }],
          [
            'details',
            { kind: 'recheck', schemaVersion: 2, details: { count: 3, codes: ['FactStale'], found: { a: null } } },
          ],
          [
            'details of a megabyte',
            {
              kind: 'ended',
              schemaVersion: 2,
              details: { list: Array.from({ length: 60_000 }, (_, i) => `n${i} n${i}`) },
            },
          ],
          ['a kind and fields of a later version', { kind: 'pondered', mood: ['a', { b: 1 }], weight: 2 } as object],
          ['masked paths', { masked: ['/input/fleet/serial', '/input/~1~0'] }],
          [
            'a deployment of many attributes',
            { deployment: { attributes: { list: Array.from({ length: 60_000 }, (_, i) => `n${i}`) } } },
          ],
        ];
        for (const [what, over] of cases)
          it(`the store reads back character for character a record with ${what}`, async () => {
            const record = aRecord(over);
            expect(JSON.stringify(await store.record(record))).toBe(JSON.stringify(record));
            expect(JSON.stringify(await store.get(record.decisionID))).toBe(JSON.stringify(record));
            expect(JSON.stringify((await store.list({ deploymentID: 'firmware-1.4.0' }))[0])).toBe(
              JSON.stringify(record),
            );
          });
      }

      it('the store reads back the fields in the order in which they were given', async () => {
        const record = Object.fromEntries(Object.entries(aRecord()).reverse()) as unknown as AuditRecord;
        await store.record(record);
        expect(JSON.stringify(await store.get(record.decisionID))).toBe(JSON.stringify(record));
      });

      it('the store reads back whatever else is thrown at it', async () => {
        const random = seeded(20261101);
        for (let round = 0; round < 25; round += 1) {
          const record = aRecord({
            reason: randomText(random),
            reasons: [randomText(random)],
            actor: randomText(random),
          });
          record.usedFacts[0]!.value = randomJson(random, 4);
          expect(JSON.stringify(await store.record(record))).toBe(JSON.stringify(record));
          expect(JSON.stringify(await store.get(record.decisionID))).toBe(JSON.stringify(record));
        }
      });

      it('the store keeps what only some kinds of record have, and leaves out what was left out', async () => {
        const override = aRecord({
          kind: 'override',
          outcome: 'allow',
          actor: 'ada',
          reason: 'known 👍',
          refersTo: 'd-1',
          deployment: { id: 'firmware-1.4.0', stage: 'canary', attributes: {} },
          leaseExpiresAt: '2026-11-01T12:15:00.000Z',
          errorDetails: [{ type: 'FactStale', message: 'too old', factId: 'max_pending', ageMs: 50, maxAgeMs: 45 }],
        });
        const pause = aRecord({ kind: 'pause', reason: 'FactStale' });
        for (const name of ['outcome', 'policySHA', 'configRev', 'runID'] as const) delete pause[name];
        for (const record of [override, pause]) {
          await store.record(record);
          expect(await store.get(record.decisionID)).toStrictEqual(record);
        }
      });
    });

    it('get gives undefined for an id that no one wrote', async () => {
      expect(await store.get('no-such-id')).toBeUndefined();
    });

    describe('list', () => {
      const other = 'c'.repeat(64);
      const cursor = (milliseconds: string, decisionID: string) => ({
        timestamp: `2026-11-01T12:00:00${milliseconds}Z`,
        decisionID,
      });
      const story = [
        aRecord({ decisionID: 'a', timestamp: '2026-11-01T12:00:00.000Z' }),
        aRecord({ decisionID: 'b', timestamp: '2026-11-01T12:00:00.001Z', stage: 'fleet', policySHA: other }),
        aRecord({
          decisionID: 'c',
          timestamp: '2026-11-01T12:00:00.002Z',
          deploymentID: 'camera-2',
          manifestVersion: '8',
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

      {
        const cases: readonly [string, AuditQuery, string][] = [
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
          ['one manifest version', { manifestVersion: '8' }, 'c'],
          ['one stage of one deployment', { deploymentID: 'firmware-1.4.0', stage: 'fleet' }, 'b'],
          [
            'one stage of one deployment in a time span, oldest first',
            { deploymentID: 'firmware-1.4.0', stage: 'canary', since: '2026-11-01T12:00:00.003Z', newestFirst: false },
            'de',
          ],
          ['one deployment up to a time', { deploymentID: 'firmware-1.4.0', until: '2026-11-01T12:00:00.003Z' }, 'ba'],
          ['what comes after a record', { after: cursor('.003', 'd') }, 'cba'],
          ['what comes after a record that is no more', { after: cursor('.002', 'zz') }, 'cba'],
          ['what comes after a record, oldest first', { after: cursor('.000', 'a'), newestFirst: false }, 'bcde'],
          ['within a millisecond what comes after an id', { after: cursor('.003', 'e') }, 'dcba'],
          [
            'within a millisecond what comes after an id, oldest first',
            { after: cursor('.003', 'd'), newestFirst: false },
            'e',
          ],
          ['nothing after the last', { after: cursor('.000', 'a') }, ''],
          [
            'what comes after a record in one deployment',
            { deploymentID: 'firmware-1.4.0', after: cursor('.003', 'd') },
            'ba',
          ],
          [
            'what comes after a record in one stage',
            { deploymentID: 'firmware-1.4.0', stage: 'canary', after: cursor('.003', 'e'), limit: 1 },
            'd',
          ],
          [
            'a cursor and a time span',
            { after: cursor('.003', 'e'), since: '2026-11-01T12:00:00.001Z', until: '2026-11-01T12:00:00.003Z' },
            'cb',
          ],
          [
            'nothing when the span ends before it begins',
            { since: '2026-11-01T12:00:01Z', until: '2026-11-01T12:00:00Z' },
            '',
          ],
          [
            'times within a millisecond',
            { since: '2026-11-01T12:00:00.0005Z', until: '2026-11-01T12:00:00.0025Z' },
            'cb',
          ],
          ['nothing where nothing matches', { deploymentID: 'unknown' }, ''],
        ];
        for (const [what, query, ids] of cases)
          it(`list gives ${what}`, async () => {
            expect((await store.list(query)).map((record) => record.decisionID).join('')).toBe(ids);
          });
      }

      it('list orders records of one millisecond by their ids, in whatever order they came', async () => {
        const timestamp = '2026-11-01T13:00:00.000Z';
        for (const decisionID of ['p', 'o', 'r', 'Q']) await store.record(aRecord({ decisionID, timestamp }));
        const query = { since: timestamp };
        expect((await store.list(query)).map((record) => record.decisionID).join('')).toBe('rpoQ');
        expect((await store.list({ ...query, newestFirst: false })).map((record) => record.decisionID).join('')).toBe(
          'Qopr',
        );
      });

      {
        const cases: readonly [string, AuditQuery][] = [
          ['newest first', {}],
          ['oldest first', { newestFirst: false }],
          ['of one deployment', { deploymentID: 'firmware-1.4.0' }],
          ['of one stage', { deploymentID: 'firmware-1.4.0', stage: 'canary' }],
          ['of one outcome, oldest first', { outcome: 'deny', newestFirst: false }],
        ];
        for (const [what, query] of cases)
          it(`list gives every record once when it is read in pages of two, ${what}`, async () => {
            for (let day = 10; day < 20; day += 1) {
              await store.record(aRecord({ timestamp: `2026-10-${day}T08:00:00.000Z` }));
              await store.record(aRecord({ timestamp: `2026-10-${day}T08:00:00.000Z`, outcome: 'allow' }));
            }
            const whole = await store.list({ ...query, limit: 1000 });
            const paged: AuditRecord[] = [];
            for (let page: AuditRecord[] | undefined; page === undefined || page.length === 2;) {
              const last = page?.at(-1);
              const after = last && { timestamp: last.timestamp, decisionID: last.decisionID };
              page = await store.list({ ...query, limit: 2, ...(after ? { after } : {}) });
              paged.push(...page);
            }
            expect(paged).toEqual(whole);
            expect(whole.length).toBeGreaterThan(10);
          });
      }

      it('list gives 100 records when no limit is given', async () => {
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

      {
        const cases = [false, true];
        for (const newestFirst of cases)
          it(`continue after any record without a gap or a repeat (newest first: ${newestFirst})`, async () => {
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
          });
      }

      it('continue after a place where no record stands', async () => {
        const found = await store.list({ newestFirst: false, after: { timestamp: at(1), decisionID: 'C' } });
        expect(found.map(({ decisionID }) => decisionID)).toEqual(['_', 'a', 'é', 'A']);
      });

      {
        const cases: readonly [AuditQuery, string[]][] = [
          [{ manifestVersion: 'v1' }, ['z']],
          [{ manifestVersion: 'v2', stage: 'canary', limit: 2 }, ['-1', 'B']],
          [{ manifestVersion: 'v' }, []],
        ];
        for (const [query, ids] of cases)
          it(`pages give the records of ${JSON.stringify(query)}`, async () => {
            const found = await store.list({ ...query, newestFirst: false });
            expect(found.map(({ decisionID }) => decisionID)).toEqual(ids);
          });
      }
    });
  });
}

function describeDomainsSideBySide({ describe, it, beforeEach, expect }: TestFramework, store: () => AuditStore): void {
  describe('for domains side by side', () => {
    // The same names in every domain, and names that would meet if domain, subject and part were merely put together.
    const at = (second: number) => `2026-11-01T12:00:0${second}.000Z`;
    const names = { subject: 'firmware-1.4.0', part: 'canary' };
    const story: AuditRecord[] = [
      aGateRecord({ decisionID: 'g', timestamp: at(1) }),
      aDomainRecord({ decisionID: 'r', timestamp: at(2), domain: 'rules', ...names }),
      aDomainRecord({ decisionID: 'p', timestamp: at(3), domain: 'plans', ...names, part: '' }),
      aDomainRecord({ decisionID: 'i', timestamp: at(4), domain: 'images', ...names }),
      aDomainRecord({ decisionID: 'x', timestamp: at(5), domain: 'images', subject: 'a#b', part: 'c' }),
      aDomainRecord({ decisionID: 'y', timestamp: at(6), domain: 'images', subject: 'a', part: 'b#c' }),
      aDomainRecord({
        decisionID: 'z',
        timestamp: at(7),
        domain: 'images',
        subject: 'a%23b',
        part: 'registry/東京:1.0',
      }),
    ];
    beforeEach(async () => {
      for (const record of story) await store().record(record);
    });

    {
      const cases: readonly [string, AuditQuery, string][] = [
        ['every domain when none is named', {}, 'zyxiprg'],
        ['the gate', { domain: 'gate' }, 'g'],
        ['the rules', { domain: 'rules' }, 'r'],
        ['the images, oldest first', { domain: 'images', newestFirst: false }, 'ixyz'],
        ['a deployment, whose name others have too', { deploymentID: 'firmware-1.4.0' }, 'g'],
        ['a stage, whose name others have too', { stage: 'canary' }, 'g'],
        ['a subject of the gate by either name', { domain: 'gate', subject: 'firmware-1.4.0', part: 'canary' }, 'g'],
        ['a subject without a domain, which is the gate’s', { subject: 'firmware-1.4.0' }, 'g'],
        ['one subject', { domain: 'plans', subject: 'firmware-1.4.0' }, 'p'],
        ['one part', { domain: 'rules', subject: 'firmware-1.4.0', part: 'canary' }, 'r'],
        ['the subject as a whole', { domain: 'plans', subject: 'firmware-1.4.0', part: '' }, 'p'],
        ['one part of any subject', { domain: 'images', part: 'canary' }, 'i'],
        ['no other part', { domain: 'plans', subject: 'firmware-1.4.0', part: 'canary' }, ''],
        ['a subject with a number sign', { domain: 'images', subject: 'a#b', part: 'c' }, 'x'],
        ['a part with a number sign', { domain: 'images', subject: 'a', part: 'b#c' }, 'y'],
        ['a subject that looks escaped', { domain: 'images', subject: 'a%23b' }, 'z'],
        [
          'a domain with another filter',
          { domain: 'images', reasonCode: 'max_pending_limit_exceeded', limit: 2 },
          'zy',
        ],
      ];
      for (const [what, query, ids] of cases)
        it(`the store gives ${what}`, async () => {
          expect((await store().list(query)).map((record) => record.decisionID).join('')).toBe(ids);
        });
    }

    it('the store gives each record back as it was, by its id', async () => {
      for (const record of story) expect(await store().get(record.decisionID)).toStrictEqual(record);
    });

    it('the store keeps names of 512 characters', async () => {
      const record: DomainRecord = aDomainRecord({ subject: '東'.repeat(512), part: 'ä'.repeat(512) });
      await store().record(record);
      expect(await store().list({ domain: 'rules', subject: record.subject })).toEqual([record]);
      expect(await store().list({ domain: 'rules', subject: record.subject, part: record.part })).toEqual([record]);
    });
  });
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Any code units, halves of pairs among them. */
function randomText(random: () => number): string {
  const length = Math.floor(random() * 12);
  return String.fromCharCode(...Array.from({ length }, () => Math.floor(random() * (random() < 0.5 ? 128 : 65_536))));
}

function randomJson(random: () => number, depth: number): JsonValue {
  const kind = Math.floor(random() * (depth > 0 ? 6 : 4));
  if (kind === 0) return [null, true, false][Math.floor(random() * 3)]!;
  if (kind === 1) return Math.floor((random() - 0.5) * 2 ** 53);
  if (kind === 2) return (random() - 0.5) * 10 ** Math.floor(random() * 600 - 300);
  if (kind === 3) return randomText(random);
  const length = Math.floor(random() * 4);
  if (kind === 4) return Array.from({ length }, () => randomJson(random, depth - 1));
  return Object.fromEntries(Array.from({ length }, () => [randomText(random), randomJson(random, depth - 1)]));
}
