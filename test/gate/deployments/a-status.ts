import type { DeploymentStatus, Hold, Pause } from '../../../src/gate/deployments/deployment-state';
import type { RecordedDecision } from '../../../src/gate/deployments/recorded-decision';

export const aDecision = (changes: Partial<RecordedDecision['decision']> = {}): RecordedDecision => ({
  decisionId: 'decision-1',
  decisionTimeMs: 1000,
  decision: { outcome: 'deny', denyReasons: ['too many: 3'], faults: [], evalDurationNs: 1, ...changes },
  facts: [{ id: 'pending', value: '3', ageMs: 10, maxAgeMs: 45_000, source: 'http://a|b' }],
});

export const aPause = (changes: Partial<Pause> = {}): Pause => ({
  id: 'pause-1',
  reason: 'FactStale',
  faults: [{ type: 'FactStale', message: 'pending is old', factId: 'pending', maxAgeMs: 45_000 }],
  decisionId: 'decision-1',
  startedAtMs: 1000,
  remindersSent: 1,
  nextReminderAtMs: 2000,
  recovered: false,
  ...changes,
});

export const aHold = (changes: Partial<Hold> = {}): Hold => ({
  id: 'hold-1',
  actor: 'ann',
  reason: 'maintenance',
  startedAtMs: 1000,
  ...changes,
});

export const aStatus = (changes: Partial<DeploymentStatus> = {}): DeploymentStatus => ({
  deploymentId: 'd1',
  state: 'deciding',
  stage: 'canary',
  stageIndex: 0,
  stages: [
    { name: 'canary', state: 'deciding' },
    { name: 'fleet', state: 'pending' },
  ],
  ...changes,
});
