import { describe, expect, it } from '@jest/globals';
import { misfit, type OperatorCallKind } from '../../../src/gate/deployments/operator-call';
import { shortText } from '../../../src/kernel/short-text';
import type { DeploymentStatus } from '../../../src/gate/deployments/deployment-state';
import { aDecision, aHold, aPause, aStatus } from './a-status';

const call = { actor: 'ann', reason: 'checked', for: 'x' };

describe('misfit', () => {
  const paused = aStatus({ state: 'paused', pause: aPause(), lastDecision: aDecision() });
  const held = { ...paused, hold: aHold() };
  const outage = aStatus({ state: 'paused', pause: aPause({ reason: 'AuditWriteFailed' }) });
  const waiting = aStatus({ state: 'waiting', lastDecision: aDecision() });
  it.each<[OperatorCallKind, string | undefined, DeploymentStatus]>([
    ['resume', 'pause-1', paused],
    ['override', 'decision-1', paused],
    ['override', 'decision-1', waiting],
    ['abort', 'pause-1', paused],
    ['abort', 'decision-1', paused],
    ['abort', undefined, aStatus({ state: 'acting' })],
    ['pause', undefined, aStatus({ state: 'acting' })],
    ['pause', 'decision-1', waiting],
    ['pause', undefined, outage],
    ['resume', 'hold-1', held],
    ['abort', 'hold-1', held],
    ['pause', undefined, held],
  ])('misfit finds none for %s of %s', (kind, meantFor, status) => {
    expect(misfit(kind, { ...call, for: meantFor }, status)).toBeUndefined();
  });

  it.each<[OperatorCallKind, string | undefined, DeploymentStatus, string]>([
    ['resume', 'pause-1', waiting, 'is waiting at stage canary, not paused'],
    ['resume', 'pause-0', paused, 'meant for pause pause-0, not for pause-1; deployment d1 is paused at stage canary'],
    ['override', 'decision-0', waiting, 'meant for decision decision-0, but the newest is decision-1'],
    ['override', 'decision-0', aStatus({ state: 'paused', pause: aPause() }), 'the newest is none'],
    ['override', 'decision-1', aStatus({ state: 'acting', lastDecision: aDecision() }), 'is acting'],
    ['abort', 'pause-0', paused, 'meant for pause-0, not for pause-1; deployment d1 is paused at stage canary'],
    ['resume', 'pause-1', held, 'meant for pause pause-1, but the present one is hold-1, by ann: maintenance'],
    ['override', 'decision-1', held, 'resume pause hold-1 first'],
    ['pause', 'pause-0', waiting, 'meant for pause-0, not for decision-1'],
    ['pause', undefined, aStatus({ state: 'done' }), 'nothing to pause: gate status'],
    ['abort', 'pause-0', aStatus(), 'not for a decision, as there is none'],
    ...(['done', 'denied', 'aborted', 'failed'] as const).map(
      (state): [OperatorCallKind, undefined, DeploymentStatus, string] => [
        'abort',
        undefined,
        aStatus({ state }),
        `is ${state}`,
      ],
    ),
  ])('misfit says why %s of %s does not fit', (kind, meantFor, status, expected) => {
    expect(misfit(kind, { ...call, for: meantFor }, status)).toContain(expected);
  });

  it.each<OperatorCallKind>(['resume', 'override', 'abort', 'pause'])(
    'misfit of %s names the id that the call should have had, however long all names are and however it is shortened',
    (kind) => {
      const long = 'n'.repeat(128);
      const pause = aPause({ id: 'p'.repeat(36) });
      const lastDecision = { ...aDecision(), decisionId: 'd'.repeat(36) };
      const status = aStatus({ deploymentId: long, stage: long, state: 'paused', pause, lastDecision });
      const wanted = kind === 'override' ? lastDecision.decisionId : pause.id;
      expect(shortText(misfit(kind, { ...call, for: long }, status) ?? '')).toContain(wanted);
    },
  );
});
