import { describe, expect, it } from '@jest/globals';
import { beginPause, nextReminderAtMs, reminded, stillPaused, type Pause } from '../../src/kernel/pause';

const intervals = { remindAfterMs: 100, remindAtMostMs: 350 };

const aPause = (changes: Partial<Pause> = {}): Pause => ({
  id: 'pause-1',
  reason: 'FactStale',
  faults: [{ type: 'FactStale', message: 'pending is old' }],
  startedAtMs: 1000,
  remindersSent: 1,
  nextReminderAtMs: 1100,
  recovered: false,
  ...changes,
});

describe('nextReminderAtMs', () => {
  it.each([
    [0, 1100],
    [1, 1100],
    [2, 1200],
    [3, 1350],
    [4, 1350],
    [5000, 1350],
  ])('nextReminderAtMs after %s messages is %s', (sent, expected) => {
    expect(nextReminderAtMs(1000, sent, intervals)).toBe(expected);
  });
});

describe('a pause', () => {
  it('a pause begins with the first fault as its reason and the first reminder due', () => {
    const { faults } = aPause();
    const pause = beginPause('p', 1000, faults, intervals);
    expect(pause).toEqual(aPause({ id: 'p', nextReminderAtMs: 1100 }));
    expect(beginPause('p', 1000, [], intervals).reason).toBe('PolicyEvaluation');
  });

  it('a pause doubles the interval with each message', () => {
    const second = reminded(aPause(), 1100, intervals);
    expect(second).toMatchObject({ remindersSent: 2, nextReminderAtMs: 1300 });
    expect(reminded(second, 1300, intervals)).toMatchObject({ remindersSent: 3, nextReminderAtMs: 1650 });
  });

  it('a pause keeps its id when other faults are found, and is no longer recovered', () => {
    const faults = [{ type: 'FactMissing' as const, message: 'gone' }];
    expect(stillPaused(aPause({ recovered: true }), faults)).toEqual(aPause({ faults, reason: 'FactMissing' }));
    expect(stillPaused(aPause(), []).reason).toBe('FactStale');
  });
});
