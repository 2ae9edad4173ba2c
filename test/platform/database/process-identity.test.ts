import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isRunning, ownIdentity, startByPs } from '../../../src/platform/database/process-identity';

describe('isRunning', () => {
  it('isRunning is true of this very process', async () => {
    expect(await isRunning(await ownIdentity())).toBe(true);
  });

  it('isRunning is false of another process with the same pid', async () => {
    expect(await isRunning({ ...(await ownIdentity()), startedAt: 'another time' })).toBe(false);
  });

  it('isRunning is false of a process that has ended', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    expect(await isRunning({ ...(await ownIdentity()), pid: child.pid! })).toBe(false);
  });
});

describe('startByPs', () => {
  it('startByPs gives the same answer for this process each time', async () => {
    const first = await startByPs(process.pid);
    expect(first).toMatch(/\d{2}:\d{2}:\d{2} \d{4}$/);
    expect(await startByPs(process.pid)).toBe(first);
  });

  it('startByPs gives undefined for a process that has ended', async () => {
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    expect(await startByPs(child.pid!)).toBeUndefined();
  });
});
