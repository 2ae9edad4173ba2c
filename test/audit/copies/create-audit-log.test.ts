import { beforeEach, describe, expect, it } from '@jest/globals';
import { createAuditLog, type AuditLogOptions } from '../../../src/audit/copies/create-audit-log';
import type { AuditRecord, AuditSink, AuditStore } from '../../../src/audit/audit-record';
import { aDomainRecord, aRecord } from '../a-record';

/** Takes records; refuses while `down`, and writes nothing while `held`. */
class FakeSink implements AuditSink {
  readonly name = 'copies';
  readonly written: AuditRecord[] = [];
  attempts = 0;
  down = false;
  held: Promise<void> = Promise.resolve();
  async write(record: AuditRecord) {
    this.attempts += 1;
    await this.held;
    if (this.down) throw new Error('copies are down');
    this.written.push(record);
  }
}

class FakeStore implements AuditStore {
  readonly name = 'store';
  readonly records = new Map<string, AuditRecord>();
  fails?: Error;
  closed = false;
  async record(record: AuditRecord) {
    if (this.fails) throw this.fails;
    if (!this.records.has(record.decisionID)) this.records.set(record.decisionID, record);
    return this.records.get(record.decisionID)!;
  }
  get = (id: string) => Promise.resolve(this.records.get(id));
  list = () => Promise.resolve([...this.records.values()]);
  close = () => {
    this.closed = true;
    return Promise.resolve();
  };
}

async function until(condition: () => boolean) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

let store: FakeStore;
let sink: FakeSink;
let counted: string[];
let logged: string[];
beforeEach(() => {
  [store, sink, counted, logged] = [new FakeStore(), new FakeSink(), [], []];
});
const open = (over: Partial<AuditLogOptions> = {}) =>
  createAuditLog({
    store,
    sinks: [sink],
    metrics: {
      written: (name) => counted.push(`written ${name}`),
      failed: (name) => counted.push(`failed ${name}`),
      dropped: (name) => counted.push(`dropped ${name}`),
    },
    logger: {
      warn: (details, message) => logged.push(`warn ${message} ${JSON.stringify(details)}`),
      error: (details, message) => logged.push(`error ${message} ${JSON.stringify(details)}`),
    },
    copies: { firstRetryMs: 1, lastRetryMs: 2 },
    ...over,
  });

describe('the audit log with a store of record', () => {
  it('the audit log with a store of record stores first, then copies what exists in the store', async () => {
    const log = open();
    const first = aRecord({ actor: 'first' });
    expect(await log.record(first)).toEqual(first);
    expect(await log.record({ ...first, actor: 'second' })).toEqual(first);
    await until(() => sink.written.length === 2);
    expect(sink.written).toEqual([first, first]);
    expect(counted.sort()).toEqual(['written copies', 'written copies', 'written store', 'written store']);
  });

  it('the audit log with a store of record does not wait for a copy', async () => {
    let letGo!: () => void;
    sink.held = new Promise((resolve) => (letGo = resolve));
    const log = open();
    const record = aRecord();
    expect(await log.record(record)).toEqual(record);
    expect(sink.written).toEqual([]);
    letGo();
    await until(() => sink.written.length === 1);
  });

  it('the audit log with a store of record adopts no record of another subject that has taken the id', async () => {
    const log = open();
    const first = aRecord();
    await log.record(first);
    await expect(log.record(aDomainRecord({ decisionID: first.decisionID }))).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${first.decisionID} in store: its id belongs to a record of firmware-1.4.0 / canary`,
    });
    expect(sink.written).toEqual([first]);
  });

  it('the audit log with a store of record copies nothing that was not stored, and fails with AuditWriteFailed', async () => {
    store.fails = new Error('disk full');
    const log = open();
    const record = aRecord();
    await expect(log.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot record decision ${record.decisionID} in store: disk full`,
    });
    expect(counted).toEqual(['failed store']);
    await log.close();
    expect(sink.attempts).toBe(0);
  });

  it('the audit log with a store of record tries a failed copy again until it succeeds, in order, logged and counted', async () => {
    sink.down = true;
    const log = open();
    const [one, two] = [aRecord(), aRecord()];
    await log.record(one);
    await log.record(two);
    await until(() => sink.attempts >= 3);
    sink.down = false;
    await until(() => sink.written.length === 2);
    expect(sink.written).toEqual([one, two]);
    expect(counted.filter((count) => count === 'failed copies').length).toBeGreaterThanOrEqual(3);
    expect(logged[0]).toMatch(/^warn A copy of an audit record could not be written to copies; trying again/);
    expect(logged[0]).toContain('"error":"copies are down"');
  });

  it('the audit log with a store of record holds so many copies and no more: the oldest goes, said and counted', async () => {
    sink.down = true;
    const log = open({ copies: { maxWaiting: 2, firstRetryMs: 60_000, lastRetryMs: 60_000 } });
    const records = [aRecord(), aRecord(), aRecord()];
    await log.record(records[0]!);
    await until(() => sink.attempts === 1);
    await log.record(records[1]!);
    await log.record(records[2]!);
    expect(counted.filter((count) => count === 'dropped copies')).toHaveLength(1);
    expect(logged.at(-1)).toContain('is not written to copies, because 2 records wait already');
    expect(logged.at(-1)).toContain(records[0]!.decisionID);
    // Closing tries once more, at once.
    sink.down = false;
    await log.close();
    expect(sink.written).toEqual([records[1], records[2]]);
    expect(store.closed).toBe(true);
  });

  it('the audit log with a store of record says which copies it gives up when it closes', async () => {
    sink.down = true;
    const log = open({ copies: { firstRetryMs: 60_000, lastRetryMs: 60_000 } });
    const record = aRecord();
    await log.record(record);
    await until(() => sink.attempts === 1);
    await log.close();
    expect(logged.at(-1)).toContain('because the audit log closes');
    expect(logged.at(-1)).toContain(record.decisionID);
    // The store answers still, the copy is refused aloud.
    await log.record(aRecord());
    expect(counted.filter((count) => count === 'dropped copies')).toHaveLength(2);
  });

  it('the audit log with a store of record closes although a sink hangs', async () => {
    sink.held = new Promise(() => {});
    const log = open();
    await log.record(aRecord());
    await log.close(10);
    expect(counted).toContain('dropped copies');
  });
});

describe('the audit log with a copy that is required', () => {
  const required = () => {
    const spool = new FakeSink();
    return { spool, log: open({ required: [spool], sinks: [] }) };
  };

  it('the audit log with a copy that is required has it taken after the store and before the record counts as written', async () => {
    const { spool, log } = required();
    const first = aRecord({ actor: 'first' });
    await log.record(first);
    await log.record({ ...first, actor: 'second' });
    expect(spool.written).toEqual([first, first]);
  });

  it('the audit log with a copy that is required fails where it is not taken, and has it taken by the next attempt', async () => {
    const { spool, log } = required();
    spool.down = true;
    const record = aRecord();
    await expect(log.record(record)).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('in copies: copies are down'),
    });
    expect(counted).toEqual(['written store', 'failed copies']);
    spool.down = false;
    expect(await log.record(record)).toEqual(record);
    expect(spool.written).toEqual([record]);
  });

  it('the audit log with a copy that is required has nothing copied that the store did not take', async () => {
    const { spool, log } = required();
    store.fails = new Error('store is down');
    await expect(log.record(aRecord())).rejects.toMatchObject({ type: 'AuditWriteFailed' });
    expect(spool.attempts).toBe(0);
  });

  it('the audit log with a copy that is required is enough where there is no store', async () => {
    const spool = new FakeSink();
    const log = open({ store: undefined, sinks: [], required: [spool] });
    const record = aRecord();
    expect(await log.record(record)).toBe(record);
    spool.down = true;
    await expect(log.record(record)).rejects.toMatchObject({ type: 'AuditWriteFailed' });
  });
});

describe('the audit log without a store', () => {
  it('the audit log without a store returns the record given once its copy is written', async () => {
    const record = aRecord();
    expect(await open({ store: undefined }).record(record)).toBe(record);
    expect(sink.written).toEqual([record]);
  });

  it('the audit log without a store fails when a copy fails, as there is nothing else', async () => {
    sink.down = true;
    await expect(open({ store: undefined }).record(aRecord())).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('in copies: copies are down'),
    });
    expect(counted).toEqual(['failed copies']);
  });

  it('the audit log without a store is refused when there is no sink either', () => {
    expect(() => open({ store: undefined, sinks: [] })).toThrow('Expected an audit store or a copy to stdout');
  });
});
