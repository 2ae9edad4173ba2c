import { describe, expect, it } from '@jest/globals';
import { allowedPass, observedPass, overriddenPass } from '../../../src/gate/deployments/gate-pass';
import { replyTo, resumeMessage } from '../../../src/gate/deployments/operator-reply';
import { aDecision, aStatus } from './a-status';

const release = { policySha: 'a', configRev: 'b', manifestVersion: 'v1' };

describe('a pass', () => {
  it('a pass of an allow holds as long as its facts, under its release', () => {
    const limit = { factId: 'pending', maxAgeMs: 45_000 };
    const recorded = { ...aDecision({ outcome: 'allow', leaseExpiresAtMs: 9000, leaseLimit: limit }), release };
    expect(allowedPass(recorded)).toEqual({
      outcome: 'allow',
      decisionId: 'decision-1',
      overridden: false,
      lease: { decisionId: 'decision-1', decisionTimeMs: 1000, expiresAtMs: 9000, release, limit },
    });
  });

  it('a pass of an allow that no fact limits has no end', () => {
    expect(allowedPass(aDecision({ outcome: 'allow' })).lease).toEqual({
      decisionId: 'decision-1',
      decisionTimeMs: 1000,
    });
  });

  it('a pass of a stage that only observes says what was found and has no lease', () => {
    expect(observedPass(aDecision())).toEqual({ outcome: 'deny', decisionId: 'decision-1', overridden: false });
  });

  it('a pass of an operator holds for its own time under any release', () => {
    expect(overriddenPass('decision-1', 1000, 500)).toEqual({
      outcome: 'allow',
      decisionId: 'decision-1',
      overridden: true,
      lease: { decisionId: 'decision-1', decisionTimeMs: 1000, expiresAtMs: 1500 },
    });
  });
});

describe('a reply', () => {
  it('a reply names the state that the call left and the newest decision', () => {
    const status = aStatus({ state: 'aborted', lastDecision: aDecision() });
    expect(replyTo('abort', true, 'Aborted', status)).toEqual({
      kind: 'abort',
      accepted: true,
      message: 'Aborted',
      state: 'aborted',
      stage: 'canary',
      decisionId: 'decision-1',
    });
    expect(replyTo('abort', false, 'void', aStatus())).not.toHaveProperty('decisionId');
  });

  it.each([
    [true, aDecision(), 'Resumed: asked again, stage canary got deny: too many: 3'],
    [true, aDecision({ outcome: 'allow', denyReasons: [] }), 'Resumed: asked again, stage canary got allow'],
    [
      false,
      aDecision({ outcome: 'error', denyReasons: [], faults: [{ type: 'FactStale', message: 'old' }] }),
      'Still paused: asked again, stage canary got error: old',
    ],
    [false, undefined, 'Still paused: asked again, stage canary got no decision'],
  ])('a reply to a resume (%s) says what was found', (resumed, lastDecision, expected) => {
    expect(resumeMessage(resumed, aStatus({ lastDecision }))).toBe(expected);
  });
});
