import { beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditReader } from '../../src/audit/audit-reader';
import type { AuditQuery, AuditRecord } from '../../src/audit/audit-record';
import { createFollower, type Follower } from '../../src/audit/follow-records';
import { aRecord } from './a-record';

const START_MS = Date.parse('2026-11-01T12:00:00Z');
const at = (seconds: number) => new Date(START_MS + seconds * 1_000).toISOString();

/** Records in memory, in the order of the store of record. */
class MemoryLog implements AuditReader {
  readonly records: AuditRecord[] = [];
  asked: AuditQuery[] = [];
  failAt = Infinity;

  add(decisionID: string, seconds: number): void {
    this.records.push(aRecord({ decisionID, timestamp: at(seconds) }));
  }
  list(query: AuditQuery): Promise<AuditRecord[]> {
    this.asked.push(query);
    if (this.asked.length >= this.failAt) return Promise.reject(new Error('the store is down'));
    const place = ({ timestamp, decisionID }: { timestamp: string; decisionID: string }) =>
      `${timestamp}#${decisionID}`;
    const { since = '', after, newestFirst = true, limit = 100 } = query;
    const found = this.records
      .filter((record) => record.timestamp >= since && (after === undefined || place(record) > place(after)))
      .sort((one, other) => (place(one) < place(other) ? -1 : 1));
    return Promise.resolve((newestFirst ? found.reverse() : found).slice(0, limit));
  }
  get = () => Promise.resolve(undefined);
  close = () => Promise.resolve();
}

let log: MemoryLog;
let follower: Follower;
beforeEach(() => {
  log = new MemoryLog();
  follower = createFollower({ stage: 'canary' });
});
const begin = async (seconds: number, count: number) =>
  (await follower.begin(log, START_MS + seconds * 1_000, count)).map(({ decisionID }) => decisionID);
async function look(seconds: number, into: string[] = []): Promise<string[]> {
  for await (const { decisionID } of follower.look(log, START_MS + seconds * 1_000)) into.push(decisionID);
  return into;
}

describe('following the audit log', () => {
  it('a follower of the audit log begins with the newest, oldest first, and asks with its filters', async () => {
    ['a', 'b', 'c'].forEach((id, index) => log.add(id, -3_000 + index));
    expect(await begin(0, 2)).toEqual(['b', 'c']);
    expect(log.asked.every(({ stage }) => stage === 'canary')).toBe(true);
  });

  it('a follower of the audit log gives each record that comes once', async () => {
    log.add('before', -1);
    expect(await begin(0, 10)).toEqual(['before']);
    expect(await look(2)).toEqual([]);
    log.add('one', 1);
    log.add('two', 3);
    expect(await look(4)).toEqual(['one', 'two']);
    expect(await look(6)).toEqual([]);
  });

  it('a follower of the audit log takes none of those for new that it was told not to begin with', async () => {
    ['a', 'b', 'c'].forEach((id, index) => log.add(id, index - 10));
    expect(await begin(0, 0)).toEqual([]);
    expect(await look(2)).toEqual([]);
  });

  it('a follower of the audit log gives what was written late, before a record that it has given', async () => {
    await begin(0, 10);
    log.add('later', 5);
    expect(await look(6)).toEqual(['later']);
    log.add('earlier', 1);
    expect(await look(8)).toEqual(['earlier']);
  });

  it('a follower of the audit log gives what was written while the store could not be read, however long that took', async () => {
    await begin(0, 10);
    log.add('meanwhile', 10);
    log.failAt = 0;
    await expect(look(3_600)).rejects.toThrow('the store is down');
    log.failAt = Infinity;
    expect(await look(7_200)).toEqual(['meanwhile']);
    expect(await look(7_202)).toEqual([]);
  });

  it('a follower of the audit log continues after a look that failed midway, page by page, without a repetition', async () => {
    await begin(0, 10);
    const ids = Array.from({ length: 1_200 }, (_, index) => `r-${String(index).padStart(4, '0')}`);
    for (const id of ids) log.add(id, 1);
    log.failAt = log.asked.length + 2;
    const given: string[] = [];
    await expect(look(2, given)).rejects.toThrow('the store is down');
    expect(given).toHaveLength(500);
    log.failAt = Infinity;
    expect(await look(4, given)).toEqual(ids);
  });

  it('a follower of the audit log forgets ids that it cannot meet again', async () => {
    log.add('old', -1);
    await begin(0, 10);
    await look(600);
    const [last] = log.asked.slice(-1);
    expect(last?.since).toBe(at(-120));
    log.add('old', 599);
    expect(await look(602)).toEqual(['old']);
  });

  it('a follower of the audit log loses nothing when the clock is set back', async () => {
    await begin(3_600, 10);
    await look(3_602);
    log.add('after the change', 1);
    await look(0);
    expect(await look(2)).toEqual(['after the change']);
  });
});
