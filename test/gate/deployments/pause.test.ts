import { describe, expect, it } from '@jest/globals';
import { beginPause, leaseLapsedFault, pauseAlert, reminded, stillPaused } from '../../../src/gate/deployments/pause';
import { nextReminderAtMs } from '../../../src/gate/deployments/reminders';
import { aPause, aStatus } from './a-status';

const intervals = { remindAfterMs: 100, remindAtMostMs: 350 };

describe('nextReminderAtMs', () => {
  it.each([
    [0, 1100],
    [1, 1100],
    [2, 1200],
    [3, 1350],
    [4, 1350],
    [5000, 1350],
  ])('after %s messages is %s', (sent, expected) => {
    expect(nextReminderAtMs(1000, sent, 100, 350)).toBe(expected);
  });
});

describe('a pause', () => {
  it('begins with the first fault as its reason and the first reminder due', () => {
    const { faults } = aPause();
    const pause = beginPause('p', 1000, faults, 'd', intervals);
    expect(pause).toEqual(aPause({ id: 'p', decisionId: 'd', nextReminderAtMs: 1100 }));
    expect(beginPause('p', 1000, [], 'd', intervals).reason).toBe('PolicyEvaluation');
  });

  it('doubles the interval with each message', () => {
    const second = reminded(aPause(), 1100, intervals);
    expect(second).toMatchObject({ remindersSent: 2, nextReminderAtMs: 1300 });
    expect(reminded(second, 1300, intervals)).toMatchObject({ remindersSent: 3, nextReminderAtMs: 1650 });
  });

  it('keeps its id when other faults are found, and is no longer recovered', () => {
    const faults = [{ type: 'FactMissing' as const, message: 'gone' }];
    expect(stillPaused(aPause({ recovered: true }), faults, 'd2')).toEqual(
      aPause({ faults, reason: 'FactMissing', decisionId: 'd2' }),
    );
    expect(stillPaused(aPause(), [], 'd2').reason).toBe('FactStale');
  });

  it('fires with every fault and what would unblock it, and resolves under the same fingerprint', () => {
    const firing = pauseAlert(aPause(), aStatus());
    expect(firing).toMatchObject({ status: 'firing', fingerprint: 'pause-1', reminder: 0, startsAtMs: 1000 });
    expect(firing.summary).toBe('Deployment d1, stage canary: paused on FactStale');
    expect(firing.description).toContain('FactStale: pending is old');
    expect(firing.description).toContain('gate resume d1');
    expect(firing).not.toHaveProperty('endsAtMs');
    expect(pauseAlert(aPause({ remindersSent: 3 }), aStatus(), 5000)).toMatchObject({
      status: 'resolved',
      fingerprint: 'pause-1',
      reminder: 3,
      endsAtMs: 5000,
      summary: 'Deployment d1, stage canary: no longer paused',
    });
  });
});

describe('leaseLapsedFault', () => {
  it('names the shortest max age, or that the release kept changing', () => {
    const fault = leaseLapsedFault(3, 900, { factId: 'a', maxAgeMs: 500 });
    expect(fault).toMatchObject({ type: 'LeaseLapsed', factId: 'a', maxAgeMs: 500 });
    expect(fault.message).toContain('3 leases lapsed in a row: the shortest max age is 500 ms (a), and 900 ms passed');
    expect(leaseLapsedFault(3, 900).message).toContain('the release kept changing');
  });
});
