import { describe, expect, it } from '@jest/globals';
import { currentDetails } from '../../../src/gate/deployments/current-details';
import type { DeploymentStatus } from '../../../src/gate/deployments/deployment-state';
import { explain, summarise } from '../../../src/gate/deployments/explain';
import { misfit } from '../../../src/gate/deployments/operator-call';
import type { Fault } from '../../../src/kernel/failures';
import { aDecision, aHold, aPause, aStatus } from './a-status';

const waiting = aStatus({ state: 'waiting', lastDecision: aDecision(), nextAskAtMs: 0 });

describe('summarise', () => {
  it.each<[Partial<DeploymentStatus>, string]>([
    [{ state: 'deciding' }, 'Deployment d1, stage canary: deciding'],
    [{ state: 'waiting' }, 'Deployment d1, stage canary: denied, waiting'],
    [{ state: 'paused' }, 'Deployment d1, stage canary: paused on an error'],
    [{ state: 'paused', pause: aPause() }, 'Deployment d1, stage canary: paused on FactStale'],
    [
      { state: 'paused', pause: aPause({ recovered: true }) },
      'Deployment d1, stage canary: paused on FactStale; the facts have recovered, an operator is awaited',
    ],
    [{ state: 'acting' }, 'Deployment d1, stage canary: allowed, acting'],
    [
      { state: 'paused', hold: aHold({ untilMs: 0 }), pause: aPause() },
      'Deployment d1, stage canary: paused by ann until 1970-01-01T00:00:00.000Z: maintenance; beside it, paused on FactStale',
    ],
    [
      { state: 'acting', hold: { ...aHold(), afterAction: true } },
      'Deployment d1, stage canary: allowed, acting; after that paused by ann: maintenance',
    ],
    [{ state: 'done' }, 'Deployment d1: done'],
    [{ state: 'denied', endReason: 'too many' }, 'Deployment d1, stage canary: denied: too many'],
    [{ state: 'aborted' }, 'Deployment d1, stage canary: aborted'],
    [{ state: 'failed' }, 'Deployment d1, stage canary: failed'],
  ])('summarise of %j is %s', (changes, expected) => {
    expect(summarise(aStatus(changes))).toBe(expected);
  });
});

describe('explain', () => {
  it('explain and current details list at most twenty reasons, shortened, and say how many more there are', () => {
    const denyReasons = Array.from({ length: 8_500 }, (_, index) => `region_not_healthy: ${index} ${'x'.repeat(900)}`);
    const decision = { ...aDecision().decision, outcome: 'deny' as const, denyReasons };
    const status = aStatus({ state: 'waiting', lastDecision: { ...aDecision(), decision } });
    const { why, unblock } = explain(status, []);
    expect([why.length, why.at(-1), Math.max(...why.map((reason) => reason.length))]).toEqual([
      21,
      'and 8480 more',
      500,
    ]);
    expect(unblock.length).toBeLessThan(25);
    expect(currentDetails(status, []).length).toBeLessThan(30_000);
  });

  it('explain and current details name no call that an outage of the audit store refuses', () => {
    const pause = aPause({ reason: 'AuditWriteFailed', faults: [{ type: 'AuditWriteFailed', message: 'down' }] });
    const status = aStatus({ state: 'paused', pause, lastDecision: aDecision() });
    expect(explain(status, []).unblock).toEqual([
      'The audit store must be back; the deployment then resumes by itself',
      expect.stringContaining('gate abort d1'),
    ]);
    expect(currentDetails(status, [])).toContain('send the signal `abort` with');
    for (const kind of ['resume', 'override'] as const) {
      const meantFor = kind === 'resume' ? pause.id : aDecision().decisionId;
      expect(misfit(kind, { actor: 'ann', reason: 'x', for: meantFor }, status)).toContain('resumes by itself');
    }
  });

  it('explain and current details of a pause on demand name the calls that end it, and no override', () => {
    const status = aStatus({
      state: 'paused',
      hold: aHold({ untilMs: 0 }),
      pause: aPause(),
      lastDecision: aDecision(),
    });
    const { why, unblock } = explain(status, []);
    expect(why).toEqual(['Paused by ann until 1970-01-01T00:00:00.000Z: maintenance', 'FactStale: pending is old']);
    expect(unblock).toEqual([
      'Continue: gate resume d1 --actor YOU --reason WHY',
      expect.stringContaining('Or wait until 1970-01-01T00:00:00.000Z'),
      'Give up: gate abort d1 --actor YOU --reason WHY',
    ]);
    const details = currentDetails(status, []);
    expect(details).toContain('send the signal `resume` or `abort` with');
    expect(details).toContain('"for":"hold-1"');
    expect(details).not.toContain('override');
  });

  it('current details of a waiting stage name the signals that fit', () => {
    expect(currentDetails(waiting, [])).toContain('send the signal `override` or `abort` with');
  });

  it('explain says why a denial waits and what would unblock it', () => {
    expect(explain(waiting, ['a note'])).toEqual({
      deploymentId: 'd1',
      stage: 'canary',
      state: 'waiting',
      summary: 'Deployment d1, stage canary: denied, waiting',
      why: ['too many: 3'],
      facts: aDecision().facts,
      unblock: [
        'Until this no longer holds: too many: 3',
        expect.stringContaining('gate override d1'),
        expect.stringContaining('gate abort d1'),
      ],
      nextAskAtMs: 0,
      notes: ['a note'],
    });
  });

  it.each<[Fault, string]>([
    [{ type: 'FactStale', message: 'm', factId: 'a', maxAgeMs: 45_000 }, 'a must be younger than 45s'],
    [{ type: 'FactStale', message: 'm' }, 'the fact must be younger than its max age'],
    [
      { type: 'FactSourceUnavailable', message: 'm', factId: 'a', where: 'http://x' },
      'The source of a must answer (http://x)',
    ],
    [{ type: 'FactSourceUnavailable', message: 'm', factId: 'a' }, 'The source of a must answer'],
    [{ type: 'FactInvalid', message: 'm', factId: 'a' }, 'The source of a must answer what input.json describes'],
    [
      { type: 'FactMissing', message: 'm', factId: 'a' },
      'A provider for a must be configured, or the policy must not read it',
    ],
    [{ type: 'AuditWriteFailed', message: 'm' }, 'The audit store must be back; the deployment then resumes by itself'],
    [
      { type: 'LeaseLapsed', message: 'm' },
      'Raise the max age of the fact that lapsed, or shorten the way to the action: m',
    ],
    [{ type: 'PolicyEvaluation', message: 'm' }, 'PolicyEvaluation must be mended: m'],
  ])('explain says what would mend %j', (fault, expected) => {
    const status = aStatus({ state: 'paused', pause: aPause({ faults: [fault] }) });
    const { unblock, why } = explain(status, []);
    expect(why).toEqual([`${fault.type}: m`]);
    expect(unblock).toEqual([
      expected,
      expect.stringContaining('gate resume d1'),
      expect.stringContaining('gate abort d1'),
    ]);
  });

  it('explain awaits only an operator once the facts have recovered', () => {
    const { unblock } = explain(aStatus({ state: 'paused', pause: aPause({ recovered: true }) }), []);
    expect(unblock).toEqual([expect.stringMatching(/recovered.*gate resume/), expect.stringContaining('gate abort')]);
  });

  it('explain asks nothing of anyone otherwise', () => {
    expect(explain(aStatus(), [])).toMatchObject({ why: [], facts: [], unblock: [] });
  });
});

describe('currentDetails', () => {
  it('currentDetails shows title, stages, reasons, facts and when it asks again, as Markdown that values cannot break', () => {
    const text = currentDetails(
      { ...waiting, stages: [{ name: 'a*b', state: 'done', outcome: 'override', overridden: true }] },
      ['no <actor>'],
    );
    expect(text).toContain('**Deployment d1, stage canary: denied, waiting**');
    expect(text).toContain('- a\\*b: done (override)');
    expect(text).toContain('Why:\n- too many: 3');
    expect(text).toContain('| pending | 3 | 10 ms | 45000 ms | http://a\\|b |');
    expect(text).toContain('Asks again at 1970-01-01T00:00:00.000Z');
    expect(text).toContain('Not accepted:\n- no \\<actor\\>');
    expect(text).toContain('send the signal `override` or `abort` with');
  });

  it('currentDetails shows the signal that answers a pause, and no max age of a fact that is always fresh', () => {
    const decision = aDecision();
    delete decision.facts[0]!.maxAgeMs;
    const text = currentDetails(aStatus({ state: 'paused', pause: aPause(), lastDecision: decision }), []);
    expect(text).toContain('{"actor":"YOU","reason":"WHY","for":"pause-1"}');
    expect(text).toContain('| 10 ms | none |');
    expect(text).toContain('- fleet: pending\n');
  });
});
