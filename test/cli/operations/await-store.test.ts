import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { awaitStore } from '../../../src/cli/operations/await-store';

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
    expect(await awaitStore(open, { say: (line) => said.push(line), pause })).toBe('started');
    expect(said).toEqual([expect.stringMatching(`127.0.0.1:${port}/gate refuses connections.*; waiting for it$`)]);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  });

  it('ends with any other error', async () => {
    const fails = () => Promise.reject(new Error('no such folder'));
    await expect(awaitStore(fails, { say: () => undefined })).rejects.toThrow('no such folder');
  });
});
