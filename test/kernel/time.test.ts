import { describe, expect, it } from '@jest/globals';
import { parseAuditQuery } from '../../src/audit/query';
import { toItem } from '../../src/audit/stores/dynamodb/item';
import { decisionTime } from '../../src/cli/policy/evaluate-dry';
import { parseTime, parseTimeOrEpoch, toTimestamp } from '../../src/kernel/time';
import { readHistory } from '../../src/releases/publishing/release-history';
import { parseRecord } from '../../src/replay/parse-record';
import { aRecord } from '../audit/a-record';
import { MemoryObjects } from '../fakes/memory-objects';

/** Date.parse takes each of them for a time. */
const NO_TIMES = [
  '2026-02-30T00:00:00Z',
  'Nov 26 2026',
  '2',
  [2020],
  '2026-11-26',
  '2026-11-26T10:00',
  '2026-11-26T10:00:00',
  '2026-11-26 10:00:00Z',
  '2026-11-26T24:00:00Z',
  '2026-11-26T10:00:00 Z',
  '2026-11-26T10:00:00.Z',
  '+002026-11-26T10:00:00Z',
];

describe('a time that is written', () => {
  it('a time that is written has the text of Date.toISOString', () => {
    const farthest = 8.64e15;
    const edges = [0, -0, -1, 999, 86_399_999, 86_400_000, -86_400_001, farthest, -farthest, 253_402_300_800_000];
    const many = Array.from({ length: 2_000 }, (_, at) => Math.trunc(((at * 7919) / 2_000 - 2_000) * 3_600_123_457));
    for (const ms of [...edges, ...many, 1.5, -1.5]) expect(toTimestamp(ms)).toBe(new Date(ms).toISOString());
    for (const ms of [NaN, Infinity, farthest + 1, -farthest - 1]) expect(() => toTimestamp(ms)).toThrow(RangeError);
  });
});

describe('a time as RFC 3339 writes it', () => {
  it.each([
    ['2026-02-28T12:00:00Z', Date.UTC(2026, 1, 28, 12)],
    ['2026-02-28t12:00:00.5+02:00', Date.UTC(2026, 1, 28, 10, 0, 0, 500)],
    ['2026-02-28T12:00:00.123456789z', Date.UTC(2026, 1, 28, 12, 0, 0, 123)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['2000-02-29T23:59:59-23:59', Date.UTC(2000, 2, 1, 23, 58, 59)],
    ['0001-01-01T00:00:00Z', Date.parse('0001-01-01T00:00:00.000Z')],
  ])('%s is %d', (text, epochMs) => {
    expect(parseTime(text)).toBe(epochMs);
  });

  it('a time as it is written is read again, whatever day was read before', () => {
    const spread = (at: number): number => Math.trunc(((at * 7919) / 2_000) * 3_600_123_457 - 62_135_596_800_000);
    for (let at = 0; at < 2_000; at += 1) {
      const [ms, next] = [spread(at), spread(at) + 86_399_999];
      for (const each of [ms, ms + 1, next, ms]) expect(parseTime(toTimestamp(each))).toBe(each);
    }
    expect(toTimestamp(Date.UTC(12_026, 0, 1))).toBe('+012026-01-01T00:00:00.000Z');
    expect(parseTime('+012026-01-01T00:00:00.0')).toBeUndefined();
  });

  it.each([
    ...['24:00:00.000Z', '10:60:00.000Z', '10:00:60.000Z', '99:99:99.999Z'],
    ...['1x:00:00.000Z', '10:0 :00.000Z', '10:00:/0.000Z', '10:00:00.0:0Z'],
    ...['10:00:00,000Z', '10.00:00.000Z', '10:00-00.000Z', '10:00:00.000 ', '-1:00:00.000Z'],
  ])('2026-01-01T%s is no time either where another one of that day was read before', (clock) => {
    expect(parseTime('2026-01-01T10:00:00.000Z')).toBe(Date.UTC(2026, 0, 1, 10));
    expect(parseTime(`2026-01-01T${clock}`)).toBeUndefined();
  });

  it.each([
    '',
    '2026-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '2026-01-01T10:60:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T10:00:00+24:00',
    '2026-01-01T10:00:00+0200',
    '1800000000000',
    1_800_000_000_000,
    null,
    {},
  ])('%j is not one', (value) => {
    expect(parseTime(value)).toBeUndefined();
  });

  it.each([
    [0, 0],
    [8.64e15, 8.64e15],
    [8.64e15 + 2, undefined],
    [NaN, undefined],
    ['2026-02-28T12:00:00Z', Date.UTC(2026, 1, 28, 12)],
    ['0', undefined],
  ])('or as epoch milliseconds: %j is %j', (value, epochMs) => {
    expect(parseTimeOrEpoch(value)).toBe(epochMs);
  });
});

describe.each(NO_TIMES.map((text) => [text]))('%j', (text) => {
  it('is not a time', () => expect(parseTime(text)).toBeUndefined());

  it('is not the time of a fact', () => expect(parseTimeOrEpoch(text)).toBeUndefined());

  it('is not a bound of a query', () => {
    expect(() => parseAuditQuery({ since: text as string }, 0)).toThrow('Expected since to be');
  });

  it('is not where a page of a query begins', () => {
    expect(() => parseAuditQuery({ after: `${String(text)},d-1` }, 0)).toThrow('Expected after to be');
  });

  it('is not the time of a dry run', () => {
    expect(() => decisionTime(text as string)).toThrow('expected --at to be an RFC 3339 time');
  });

  it('is not the time of a record that is replayed', () => {
    const line = JSON.stringify({ ...aRecord(), timestamp: text });
    expect(parseRecord(line)).toEqual({ why: expect.stringContaining('timestamp') });
  });

  it.each(['observedAt', 'collectedAt'])('is not the %s of a fact that is replayed', (name) => {
    const record = aRecord();
    const usedFacts = record.usedFacts.map((fact) => ({ ...fact, [name]: text }));
    expect(parseRecord(JSON.stringify({ ...record, usedFacts }))).toEqual({
      why: expect.stringContaining('usedFacts'),
    });
  });

  it('is not the time of a record that is stored', () => {
    expect(() => toItem({ ...aRecord(), timestamp: text as string }, 1000)).toThrow('to have an RFC 3339 timestamp');
  });

  it('is not the time of an entry in the history of releases', async () => {
    const store = new MemoryObjects();
    const entry = { action: 'publish', by: 'ann', at: text, manifest: { version: 'v1', policy: 'p', config: 'c' } };
    await store.put('latest.history/1.json', new TextEncoder().encode(JSON.stringify(entry)));
    const unreadable: string[] = [];
    await readHistory({ store, key: 'latest.json' }, (_key, why) => unreadable.push(why));
    expect(unreadable).toEqual(['expected action, by and at']);
  });
});
