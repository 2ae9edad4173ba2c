import { describe, expect, it } from '@jest/globals';
import { isTold } from '../../../src/alerts/alert-rules';
import type { Incident } from '../../../src/alerts/incident';
import {
  endAlert,
  endEventOf,
  firingAlert,
  incidentLabels,
  resolvedAlert,
} from '../../../src/gate/deployments/deployment-alerts';
import { ALERT_EVENTS } from '../../../src/kernel/alert-event';
import { aPause, aStatus } from './a-status';

const place = { deploymentId: 'd1', stage: 'canary' };
const incident: Incident = {
  id: 'pause-1',
  labels: incidentLabels(place, { team: 'core' }),
  startedAtMs: 1000,
  remindersSent: 2,
  nextReminderAtMs: 5000,
};
const rules = { on: ALERT_EVENTS, labels: { team: 'core' } };
const ended = { ...place, event: 'failed', runId: 'run-1', atMs: 7000, summary: 'it failed' } as const;

describe('the alerts of a deployment', () => {
  it('the alert of an incident has fixed labels, and the reason of the pause beside them', () => {
    const labels = {
      alertname: 'DeploymentPaused',
      deployment_id: 'd1',
      stage: 'canary',
      severity: 'warning',
      team: 'core',
    };
    const firing = firingAlert(incident, { status: 'firing', reminder: 1, atMs: 2000 }, aStatus(), aPause());
    expect(firing).toMatchObject({
      status: 'firing',
      fingerprint: 'pause-1',
      labels,
      pauseReason: 'FactStale',
      startsAtMs: 1000,
      reminder: 1,
      nextReminderAtMs: 5000,
      summary: 'Deployment d1, stage canary: paused on FactStale',
      description: expect.stringContaining('gate resume d1'),
    });
    // The next stage has begun meanwhile.
    const now = { deploymentId: 'd1', stage: 'fleet' };
    const resolved = resolvedAlert(incident, { status: 'resolved', reminder: 2, atMs: 9000 }, now, 'It is done');
    expect(resolved).toMatchObject({
      status: 'resolved',
      fingerprint: 'pause-1',
      labels,
      stage: 'canary',
      endsAtMs: 9000,
      reminder: 2,
      summary: 'Deployment d1, stage canary: no longer paused',
      description: expect.stringContaining('It is done'),
    });
  });

  it.each([
    ['failed', 'DeploymentFailed', 'critical'],
    ['denied', 'DeploymentDenied', 'warning'],
    ['aborted', 'DeploymentAborted', 'info'],
    ['terminated', 'DeploymentTerminated', 'critical'],
    ['timed-out', 'DeploymentTimedOut', 'critical'],
  ] as const)(
    'the alert of a deployment that is %s is %s, told once and only where it is wanted',
    (event, name, severity) => {
      const alert = endAlert({ ...ended, event }, rules);
      const labels = { alertname: name, severity, deployment_id: 'd1', stage: 'canary', team: 'core' };
      expect(alert).toMatchObject({ status: 'firing', name, severity, labels, startsAtMs: 7000, summary: 'it failed' });
      expect(alert).not.toHaveProperty('nextReminderAtMs');
      expect(endAlert({ ...ended, event }, rules)).toEqual(alert);
      expect(endAlert({ ...ended, event, runId: 'run-2' }, rules)?.fingerprint).not.toBe(alert?.fingerprint);
      const without = { ...rules, on: ALERT_EVENTS.filter((one) => one !== event) };
      expect(endAlert({ ...ended, event }, without)).toBeUndefined();
      expect([isTold(rules, event), isTold(without, event)]).toEqual([true, false]);
    },
  );

  it.each([
    ['done', undefined],
    ['acting', undefined],
    ['paused', undefined],
    ['failed', 'failed'],
    ['denied', 'denied'],
    ['aborted', 'aborted'],
  ] as const)('the state %s is the event %s', (state, event) => {
    expect(endEventOf(state)).toBe(event);
  });
});
