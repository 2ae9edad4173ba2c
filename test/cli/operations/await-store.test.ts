import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { awaitStore } from '../../../src/cli/operations/await-store';

const WAIT = { say: () => undefined, signal: new AbortController().signal, close: () => undefined };

describe('a worker that starts while its store is down', () => {
  it('says once why it waits, tries again at growing intervals, and starts when the store answers', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const said: string[] = [];
    const pauses: number[] = [];
    let tries = 0;
    const open = async (): Promise<string> => {
      tries += 1;
      if (tries > 6) return 'started';
      await (await openAuditDatabase({ url: `postgres://gate@127.0.0.1:${port}/gate` })).close();
      return 'too early';
    };
    const pause = async (ms: number): Promise<void> => void pauses.push(ms);
    const { signal } = new AbortController();
    expect(await awaitStore(open, { ...WAIT, signal, say: (line) => said.push(line), pause })).toBe('started');
    expect(said).toEqual([expect.stringMatching(`127.0.0.1:${port}/gate refuses connections.*; waiting for it$`)]);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  });

  it('ends with any other error', async () => {
    const fails = () => Promise.reject(new Error('no such folder'));
    await expect(awaitStore(fails, WAIT)).rejects.toThrow('no such folder');
  });

  it('ends at once when it is stopped while it waits, and closes what was opened too late', async () => {
    const stop = new AbortController();
    const closed: string[] = [];
    let finish = (_opened: string): void => undefined;
    const open = (): Promise<string> => {
      stop.abort();
      return new Promise((resolve) => (finish = resolve));
    };
    const close = (late: string) => closed.push(late);
    expect(await awaitStore(open, { ...WAIT, close, signal: stop.signal })).toBeUndefined();
    expect(closed).toEqual([]);
    finish('worker');
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toEqual(['worker']);
  });
});
