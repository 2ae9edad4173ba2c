import { describe, expect, it } from '@jest/globals';
import { PassThrough, Writable } from 'node:stream';
import { createStdoutSink } from '../../../src/audit/copies/stdout';
import { aRecord } from '../a-record';

describe('the stdout sink', () => {
  it('the stdout sink writes one JSON line a record, whatever the record holds', async () => {
    const stream = new PassThrough();
    const sink = createStdoutSink(stream);
    const records = [aRecord({ reason: 'two\nlines\u2028' }), aRecord()];
    for (const record of records) await sink.write(record);
    const lines = String(stream.read()).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(records);
  });

  it('the stdout sink waits for a slow reader', async () => {
    let take!: () => void;
    const slow = new Writable({ highWaterMark: 1, write: (_bytes, _encoding, done) => void (take = done) });
    let written = false;
    const writing = createStdoutSink(slow)
      .write(aRecord())
      .then(() => (written = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    take();
    await writing;
  });

  it('the stdout sink rejects when the reader is gone, and leaves the process alive', async () => {
    const broken = new Writable({
      write: (_bytes, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const sink = createStdoutSink(broken);
    await expect(sink.write(aRecord())).rejects.toThrow('EPIPE');
    await expect(sink.write(aRecord())).rejects.toThrow();
  });
});
