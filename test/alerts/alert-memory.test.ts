import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { forgetVanished } from '../../src/alerts/service/alert-memory';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 31);

describe('the memories of workers of the past', () => {
  const root = mkdtempSync(join(tmpdir(), 'gate-alerts-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const memory = (letter: string, agesInDays: readonly number[], name = letter.repeat(32)): string => {
    const folder = join(root, name);
    mkdirSync(folder);
    const touch = (path: string, days: number): void => {
      utimesSync(path, new Date(NOW_MS - days * DAY_MS), new Date(NOW_MS - days * DAY_MS));
    };
    for (const [index, days] of agesInDays.entries()) {
      const file = join(folder, `${index}.json`);
      writeFileSync(file, '{}');
      touch(file, days);
    }
    touch(folder, 100);
    return folder;
  };

  it('the memory of a release that no worker fired for in 30 days is removed, and no other', async () => {
    const own = memory('a', [90]);
    const old = memory('b', [31, 90]);
    const empty = memory('c', []);
    const kept = [own, memory('d', [29, 90]), memory('e', [90], 'not-ours')];
    await forgetVanished(root, own, NOW_MS);
    expect([old, empty].filter((folder) => existsSync(folder))).toEqual([]);
    expect(kept.filter((folder) => !existsSync(folder))).toEqual([]);
    await expect(forgetVanished(join(root, 'absent'), own, NOW_MS)).resolves.toBeUndefined();
  });
});
