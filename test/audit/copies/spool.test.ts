import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openSpool, type Spool } from '../../../src/audit/copies/spool';

let folder: string;
let spool: Spool | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-spool-'));
});
afterEach(async () => {
  await spool?.close();
  spool = undefined;
  rmSync(folder, { recursive: true, force: true });
});
const open = async (maxBytes = 1_000) => (spool = await openSpool(folder, maxBytes));
const texts = async (from: Spool) => (await from.oldest(100, 10_000)).map(({ text }) => text);

describe('a spool', () => {
  it('a spool gives what it holds in the order in which it came, and again until it is removed', async () => {
    const spool = await open();
    await Promise.all(['a', 'b', 'c'].map((text) => spool.append(text)));
    expect(await texts(spool)).toEqual(['a', 'b', 'c']);
    expect(spool.oldestFile()).toBe(join(folder, '0000000000000001.json'));
    const [first] = await spool.oldest(1, 10_000);
    await spool.remove([first!]);
    expect(await texts(spool)).toEqual(['b', 'c']);
    expect(spool.bytes).toBe(2);
  });

  it('a spool gives no more bytes than asked for, but at least one text', async () => {
    const spool = await open();
    for (const text of ['aaaa', 'bbbb', 'cc']) await spool.append(text);
    expect((await spool.oldest(9, 8)).map(({ text }) => text)).toEqual(['aaaa', 'bbbb']);
    expect((await spool.oldest(9, 1)).map(({ text }) => text)).toEqual(['aaaa']);
  });

  it('a spool refuses what there is no room for, and takes it once there is', async () => {
    const spool = await open(5);
    await spool.append('éé');
    await expect(spool.append('cc')).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: `Cannot keep a decision for its upload in ${folder}: 4 of at most 5 bytes wait for their server already`,
    });
    await spool.remove(await spool.oldest(1, 10));
    expect(spool.bytes).toBe(0);
    expect(spool.oldestFile()).toBeUndefined();
    await spool.append('cc');
    expect(await texts(spool)).toEqual(['cc']);
  });

  it('a spool counts before it writes: two at once do not both take the last room', async () => {
    const spool = await open(3);
    const both = await Promise.allSettled([spool.append('aa'), spool.append('bb')]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });

  it('a spool refuses when the disk does not take it, and leaves nothing behind', async () => {
    const spool = await open();
    rmSync(folder, { recursive: true });
    await expect(spool.append('a')).rejects.toMatchObject({
      type: 'AuditWriteFailed',
      message: expect.stringContaining('ENOENT'),
    });
    expect(spool.bytes).toBe(0);
  });

  it('a spool continues without a file that an operator took away', async () => {
    const spool = await open();
    for (const text of ['a', 'bb', 'c']) await spool.append(text);
    rmSync(spool.oldestFile()!);
    expect(await texts(spool)).toEqual(['bb', 'c']);
    expect(spool.bytes).toBe(3);
  });

  it('a spool looks beyond files that an operator took away', async () => {
    const spool = await open();
    for (const text of ['a', 'b', 'c']) await spool.append(text);
    rmSync(spool.oldestFile()!);
    expect((await spool.oldest(1, 100)).map(({ text }) => text)).toEqual(['b']);
  });

  it('a spool leaves nothing of a text whose folder could not be flushed', async () => {
    const spool = await open();
    const openFile = fs.open;
    const flush = jest.spyOn(fs, 'open').mockImplementation((path, ...rest) => {
      if (path === folder) return Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }));
      return openFile(path, ...rest);
    });
    try {
      await expect(spool.append('a')).rejects.toMatchObject({ message: expect.stringContaining('EIO') });
    } finally {
      flush.mockRestore();
    }
    expect(spool.bytes).toBe(0);
    expect(readdirSync(folder).filter((name) => name.includes('.json'))).toEqual([]);
  });

  it('a spool belongs to one at a time', async () => {
    await open();
    await expect(openSpool(folder, 10)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: `Expected a folder of this worker’s own in audit.upload.folder, but ${folder} cannot be used: another process holds it`,
    });
  });

  it('a spool says why its folder cannot be used', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(openSpool(join(file, 'below'), 10)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining('ENOTDIR'),
    });
  });

  it('a spool keeps its texts to this user', async () => {
    const below = join(folder, 'below');
    spool = await openSpool(below, 100);
    await spool.append('secret');
    expect(statSync(below).mode & 0o777).toBe(0o700);
    expect(statSync(spool.oldestFile()!).mode & 0o777).toBe(0o600);
  });

  it('a spool holds after SIGKILL everything that was confirmed, whole, in order, and continues behind it', async () => {
    const support = join(__dirname, '../../support');
    const args = ['-r', join(support, 'ts-require.cjs'), join(support, 'spool-until-killed.ts'), folder];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const confirmed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      confirmed.push(line);
      if (confirmed.length === 30) child.kill('SIGKILL');
    }
    await exited;
    writeFileSync(join(folder, '0000000000009999.json.part'), 'half');

    const after = await open(100_000_000);
    const kept = (await after.oldest(10_000, 100_000_000)).map(({ text }) => JSON.parse(text) as { id: string });
    const ids = kept.map(({ id }) => id);
    expect(confirmed.length).toBeGreaterThanOrEqual(30);
    expect(ids.slice(0, confirmed.length)).toEqual(confirmed);
    // One more may have been written, but not confirmed any more.
    expect(ids.length - confirmed.length).toBeLessThanOrEqual(1);
    await after.append('{"id":"after"}');
    expect((await after.oldest(10_000, 100_000_000)).at(-1)?.text).toBe('{"id":"after"}');
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
