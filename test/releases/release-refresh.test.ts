import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startReleaseRefresh, type RefreshOptions } from '../../src/releases/release-refresh';
import { systemTimers } from '../../src/platform/timers/system-timers';

let refresh: jest.Mock<RefreshOptions['refresh']>;
let nudge: () => void;
let unwatch: jest.Mock<() => void>;
let running: ReturnType<typeof startReleaseRefresh> | undefined;

beforeEach(() => {
  jest.useFakeTimers();
  refresh = jest.fn<RefreshOptions['refresh']>(async () => undefined);
  unwatch = jest.fn<() => void>();
});
afterEach(() => {
  running?.stop();
  jest.useRealTimers();
});

function start(change: Partial<RefreshOptions> = {}): void {
  const watch = (onChange: () => void): (() => void) => {
    nudge = onChange;
    return unwatch;
  };
  running = startReleaseRefresh({
    timers: systemTimers,
    refresh,
    intervalMs: 30_000,
    random: () => 0.5,
    watch,
    ...change,
  });
}

describe('refreshing the release', () => {
  it.each([
    [0, 27_000],
    [0.5, 30_000],
    [1, 33_000],
  ])('the refresh with the random value %d comes every %i ms', async (random, everyMs) => {
    start({ random: () => random });
    for (const checks of [1, 2]) {
      await jest.advanceTimersByTimeAsync(everyMs - 1);
      expect(refresh).toHaveBeenCalledTimes(checks - 1);
      await jest.advanceTimersByTimeAsync(1);
      expect(refresh).toHaveBeenCalledTimes(checks);
    }
  });

  it('the refresh continues after a check that failed', async () => {
    refresh.mockRejectedValueOnce(new Error('out of reach'));
    start();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('the refresh waits for a slow check before it plans the next', async () => {
    let finish = (): void => undefined;
    refresh.mockImplementationOnce(() => new Promise<void>((resolve) => (finish = resolve)));
    start();
    await jest.advanceTimersByTimeAsync(300_000);
    expect(refresh).toHaveBeenCalledTimes(1);
    finish();
    await jest.advanceTimersByTimeAsync(30_000);
    expect(refresh).toHaveBeenCalledTimes(2);
  });

  it('the refresh checks once a moment after the last of many nudges', async () => {
    start();
    for (let times = 0; times < 20; times += 1) {
      nudge();
      await jest.advanceTimersByTimeAsync(50);
    }
    expect(refresh).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(50);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('the refresh checks at once when asked, and never rejects', async () => {
    start();
    refresh.mockRejectedValueOnce(new Error('out of reach'));
    await expect(running?.now()).resolves.toBeUndefined();
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it('the refresh does without nudges where the source has none', async () => {
    start({ watch: undefined });
    await jest.advanceTimersByTimeAsync(30_000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['nothing', 0, 100, 10],
    ['more than a timer can count', 2 ** 40, 2 ** 31 - 2, 0],
  ])('the refresh stays calm at an interval of %s', async (_, intervalMs, passedMs, most) => {
    start({ intervalMs });
    await jest.advanceTimersByTimeAsync(passedMs);
    expect(refresh.mock.calls.length).toBeLessThanOrEqual(most);
  });

  it('the refresh stops for good: no timer, no watch, no late nudge', async () => {
    start();
    nudge();
    running?.stop();
    nudge();
    await jest.advanceTimersByTimeAsync(300_000);
    expect(refresh).not.toHaveBeenCalled();
    expect(unwatch).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('the refresh plans nothing after a check that was under way when it was stopped', async () => {
    let finish = (): void => undefined;
    refresh.mockImplementationOnce(() => new Promise<void>((resolve) => (finish = resolve)));
    start();
    await jest.advanceTimersByTimeAsync(30_000);
    running?.stop();
    finish();
    await jest.advanceTimersByTimeAsync(300_000);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
