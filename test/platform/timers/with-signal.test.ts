import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { within } from '../../../src/kernel/timers';
import { systemTimers } from '../../../src/platform/timers/system-timers';
import { isTimedOut, withSignal } from '../../../src/platform/timers/with-signal';

const aborted = (signal: AbortSignal): Promise<AbortSignal> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal);
    signal.addEventListener('abort', () => resolve(signal), { once: true });
  });

describe('a signal for a piece of work', () => {
  it('a signal for a piece of work aborts when the time is over', async () => {
    expect(isTimedOut(await withSignal({ timeoutMs: 10 }, aborted))).toBe(true);
  });

  it('a signal for a piece of work aborts with the reason of another signal', async () => {
    const source = new AbortController();
    const ended = withSignal({ timeoutMs: 60_000, signals: [source.signal] }, aborted);
    source.abort('stopped');
    const { reason } = await ended;
    expect(reason).toBe('stopped');
  });

  it('a signal for a piece of work is aborted from the start when another signal is', async () => {
    const signal = await withSignal({ signals: [AbortSignal.abort('before')] }, aborted);
    expect(signal.reason).toBe('before');
    expect(isTimedOut(signal)).toBe(false);
  });

  it('a signal for a piece of work aborts when the work has ended, so that nothing is left behind', async () => {
    let left: AbortSignal | undefined;
    await withSignal({ timeoutMs: 60_000 }, async (signal) => void (left = signal));
    expect(left?.aborted).toBe(true);
  });

  it('a signal for a piece of work does not abort at once for a time of months', async () => {
    const signal = await withSignal({ timeoutMs: 60 * 86_400_000 }, async (running) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return running.aborted;
    });
    expect(signal).toBe(false);
  });

  it('a signal for a piece of work fires although the garbage collector runs before it', async () => {
    const script = join(__dirname, 'lost-signals.cjs');
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
    expect(JSON.parse(stdout)).toEqual(['time-out', 'other signal']);
  });
});

describe('work with a deadline', () => {
  it('work with a deadline gives its result in time', async () => {
    await expect(within(systemTimers, 60_000, Promise.resolve(1), () => new Error('late'))).resolves.toBe(1);
  });

  it('work with a deadline fails with the error of the deadline when it is late', async () => {
    const never = new Promise(() => undefined);
    await expect(within(systemTimers, 5, never, () => new Error('late'))).rejects.toThrow('late');
  });

  it('work with a deadline fails with its own error when it fails in time', async () => {
    const work = Promise.reject(new Error('own'));
    await expect(within(systemTimers, 60_000, work, () => new Error('late'))).rejects.toThrow('own');
  });
});
