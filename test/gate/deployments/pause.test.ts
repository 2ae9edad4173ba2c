import { describe, expect, it } from '@jest/globals';
import { leaseLapsedFault, pauseAlert } from '../../../src/gate/deployments/pause';
import { aPause, aStatus } from './a-status';

describe('pauseAlert', () => {
  it('pauseAlert fires with every fault and what would unblock it, and resolves under the same fingerprint', () => {
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
  it('leaseLapsedFault names the shortest max age, or that the release kept changing', () => {
    const fault = leaseLapsedFault(3, 900, { factId: 'a', maxAgeMs: 500 });
    expect(fault).toMatchObject({ type: 'LeaseLapsed', factId: 'a', maxAgeMs: 500 });
    expect(fault.message).toContain('3 leases lapsed in a row: the shortest max age is 500 ms (a), and 900 ms passed');
    expect(leaseLapsedFault(3, 900).message).toContain('the release kept changing');
  });
});
