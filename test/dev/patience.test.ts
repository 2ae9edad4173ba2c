import { describe, expect, it } from '@jest/globals';
import { createPatience } from '../../src/dev/patience';

describe('patience', () => {
  it('patience lasts for as long as there is progress, and ends when nothing has changed for the time', () => {
    let nowMs = 0;
    let size = 0;
    const patience = createPatience(
      100,
      () => size,
      () => nowMs,
    );
    const after = (ms: number, grown = 0): boolean => {
      nowMs += ms;
      size += grown;
      return patience.isOver();
    };
    expect([after(99), after(99, 1), after(99), after(1)]).toEqual([false, false, false, true]);
    expect([after(500, 1), after(99), after(1)]).toEqual([false, false, true]);
  });
});
