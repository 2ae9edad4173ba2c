import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findHolder, lockFolder, type LockHolder } from '../../../src/platform/database/lock';
import { ownIdentity } from '../../../src/platform/database/process-identity';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gate-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

const lockFile = () => join(folder, 'owner.lock');
const leave = (holder: Partial<LockHolder>, file = lockFile()) => writeFile(file, JSON.stringify(holder));

/** The identity of a process that has ended. */
async function aDeadProcess(nonce: string): Promise<LockHolder> {
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  return { pid: child.pid!, startedAt: 'once', host: hostname(), nonce };
}

describe('lockFolder', () => {
  it('lockFolder names this process in a file that only this user can read', async () => {
    const lock = await lockFolder(folder);
    expect(lock.holder).toMatchObject({ ...(await ownIdentity()), pid: process.pid });
    expect(JSON.parse(await readFile(lockFile(), 'utf8'))).toEqual(lock.holder);
    expect((await stat(lockFile())).mode & 0o777).toBe(0o600);
    await lock.release();
  });

  it('lockFolder refuses a second owner, naming the first and the setting that lets many share a store', async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message:
        `The embedded audit store is already open in process ${process.pid} (${lockFile()}). Only one process can hold ` +
        'it: stop that one, or set audit.store.url to a PostgreSQL URL that all share',
    });
    expect(await findHolder(folder)).toEqual(lock.holder);
    await lock.release();
  });

  it('lockFolder leaves nothing behind when it is released, so the next can own the folder', async () => {
    await (await lockFolder(folder)).release();
    expect(await readdir(folder)).toEqual([]);
    const second = await lockFolder(folder);
    await second.release();
    await second.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it("lockFolder does not release another's lock", async () => {
    const lock = await lockFolder(folder);
    const other = { ...lock.holder, nonce: 'of another' };
    await leave(other);
    await lock.release();
    expect(await findHolder(folder)).toEqual(other);
  });

  it('lockFolder succeeds a dead owner', async () => {
    await leave(await aDeadProcess('dead'));
    expect(await findHolder(folder)).toBeUndefined();
    const lock = await lockFolder(folder);
    expect(await findHolder(folder)).toEqual(lock.holder);
    expect(await readdir(folder)).toEqual(['owner.lock']);
    await lock.release();
  });

  it('lockFolder is not taken in by a new process that has the pid of the dead owner', async () => {
    await leave({ pid: process.pid, startedAt: 'long ago', host: hostname(), nonce: 'dead' });
    const lock = await lockFolder(folder);
    expect(await findHolder(folder)).toEqual(lock.holder);
    await lock.release();
  });

  it('lockFolder succeeds a successor that died before it had finished', async () => {
    await leave(await aDeadProcess('first'));
    await leave(await aDeadProcess('second'), `${lockFile()}.after-first`);
    const lock = await lockFolder(folder);
    expect(await readdir(folder)).toEqual(['owner.lock']);
    await lock.release();
  });

  it('lockFolder refuses while a living successor has not finished', async () => {
    await leave(await aDeadProcess('first'));
    const successor = { ...(await ownIdentity()), nonce: 'second' };
    await leave(successor, `${lockFile()}.after-first`);
    await expect(lockFolder(folder)).rejects.toMatchObject({ type: 'ConfigInvalid' });
    expect(await findHolder(folder)).toEqual(successor);
  });

  it.each([
    ['a free folder', false],
    ['a dead owner', true],
  ])('lockFolder lets exactly one of many at once have %s', async (_, dead) => {
    for (let round = 0; round < 20; round += 1) {
      if (dead) await leave(await aDeadProcess(`dead-${round}`));
      const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)));
      const won = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(won).toHaveLength(1);
      expect(await findHolder(folder)).toEqual(won[0]!.holder);
      await won[0]!.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it.each([
    ['was touched a moment ago', 0, true],
    ['was not touched for a minute', 61_000, false],
  ])("lockFolder takes another host's owner for alive by its lock alone: it %s", async (_, silentMs, alive) => {
    const holder = { pid: 1, startedAt: 'unknown', host: 'another.example', nonce: 'far' };
    await leave(holder);
    const touched = new Date(Date.now() - silentMs);
    await utimes(lockFile(), touched, touched);
    expect(await findHolder(folder)).toEqual(alive ? holder : undefined);
    if (alive) await expect(lockFolder(folder)).rejects.toThrow('process 1 on another.example');
  });

  it.each(['', 'not JSON', '{"pid": "7"}'])('lockFolder does not guess what a lock of %j means', async (text) => {
    await writeFile(lockFile(), text);
    await expect(lockFolder(folder)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringContaining('delete it when no worker uses the folder'),
    });
  });
});
