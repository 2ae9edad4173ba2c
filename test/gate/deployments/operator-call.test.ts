import { describe, expect, it } from '@jest/globals';
import { misfit, type OperatorCallKind } from '../../../src/gate/deployments/operator-call';
import type { DeploymentStatus } from '../../../src/gate/deployments/deployment-state';
import { aDecision, aPause, aStatus } from './a-status';

const call = { actor: 'ann', reason: 'checked', for: 'x' };

describe('misfit', () => {
  const paused = aStatus({ state: 'paused', pause: aPause(), lastDecision: aDecision() });
  const waiting = aStatus({ state: 'waiting', lastDecision: aDecision() });
  it.each<[OperatorCallKind, string | undefined, DeploymentStatus]>([
    ['resume', 'pause-1', paused],
    ['override', 'decision-1', paused],
    ['override', 'decision-1', waiting],
    ['abort', 'pause-1', paused],
    ['abort', 'decision-1', paused],
    ['abort', undefined, aStatus({ state: 'acting' })],
  ])('misfit finds none for %s of %s', (kind, meantFor, status) => {
    expect(misfit(kind, { ...call, for: meantFor }, status)).toBeUndefined();
  });

  it.each<[OperatorCallKind, string | undefined, DeploymentStatus, string]>([
    ['resume', 'pause-1', waiting, 'is waiting at stage canary, not paused'],
    [
      'resume',
      'pause-0',
      paused,
      'meant for pause pause-0, but deployment d1 is paused at stage canary on pause pause-1',
    ],
    ['override', 'decision-0', waiting, 'meant for decision decision-0, but the newest is decision-1'],
    ['override', 'decision-0', aStatus({ state: 'paused', pause: aPause() }), 'the newest is none'],
    ['override', 'decision-1', aStatus({ state: 'acting', lastDecision: aDecision() }), 'is acting'],
    ['abort', 'pause-0', paused, 'meant for pause-0, but deployment d1 is paused at stage canary on pause-1'],
    ['abort', 'pause-0', aStatus(), 'on no decision yet'],
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
});
