import { expect, it } from '@jest/globals';
import type { FoundSync, ImageSyncClient } from '../../../src/clients/image-sync-client';
import { waitForSync } from '../../../src/cli/images/run-sync';
import type { CommandIo } from '../../../src/cli/io';
import { NO_TOTALS } from '../../../src/images/progress/sync-totals';

it('a sync that tells its end is waited for until Temporal has closed it, so that the next command starts another', async () => {
  const status = { state: 'done', totals: NO_TOTALS };
  const seen = (closed: boolean) =>
    ({ found: 'status', status, under: { bytes: 0, attempt: 1 }, closed }) as unknown as FoundSync;
  const answers = [seen(false), seen(false), seen(true)];
  const client = { status: async () => answers.shift() } as unknown as ImageSyncClient;
  const io = { stderr: { write: () => true }, signal: new AbortController().signal } as unknown as CommandIo;
  expect(await waitForSync(io, client, 'image-sync/all', false)).toBe(status);
  expect(answers).toEqual([]);
});
