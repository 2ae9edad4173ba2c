import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Alert } from '../../src/alerts/alert';
import { createEvaluatorAlerts, type EvaluatorAlerts } from '../../src/alerts/evaluator-alerts';
import { createStandingAlerts } from '../../src/alerts/standing-alerts';
import type { ReleaseRef } from '../../src/releases/release-ref';

const release: ReleaseRef = { policySha: 'p', configRev: 'c', manifestVersion: 'v2' };
const place = { decisionId: 'd-1', deploymentId: 'firmware-1', stage: 'fleet' };

let sent: Alert[];
let undelivered: unknown[];
let receive: (alert: Alert) => Promise<void>;
let alerts: EvaluatorAlerts;

beforeEach(() => {
  sent = [];
  undelivered = [];
  receive = async (alert) => void sent.push(alert);
  let nowMs = 999;
  const standing = createStandingAlerts({
    send: (alert) => receive(alert),
    nowMs: () => nowMs,
    onUndelivered: (error) => undelivered.push(error),
  });
  alerts = createEvaluatorAlerts({ standing, nowMs: () => (nowMs += 1) });
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the alert about two evaluators that do not agree', () => {
  it('the alert names release, deployment, stage and the record, and no value', async () => {
    alerts.disagreed(release, place);
    await settled();
    expect(sent).toEqual([
      {
        status: 'firing',
        fingerprint: 'evaluators-disagree-p-c',
        name: 'EvaluatorsDisagree',
        deploymentId: 'firmware-1',
        stage: 'fleet',
        summary: 'The two evaluators of release v2 do not agree: what only one allows is an error',
        description: expect.stringContaining('gate audit show d-1 has both answers') as unknown as string,
        startsAtMs: 1_000,
        reminder: 0,
        labels: { alertname: 'EvaluatorsDisagree', deployment_id: 'firmware-1', stage: 'fleet' },
        nextReminderAtMs: 1_000 + 15 * 60_000,
      },
    ]);
  });

  it('the alert fires once a release, whatever version the manifest calls it', async () => {
    alerts.disagreed(release, place);
    alerts.disagreed({ ...release, manifestVersion: 'v3' }, { ...place, decisionId: 'd-2' });
    alerts.disagreed({ ...release, configRev: 'other' }, { ...place, decisionId: 'd-3' });
    await settled();
    expect(sent.map(({ fingerprint }) => fingerprint)).toEqual([
      'evaluators-disagree-p-c',
      'evaluators-disagree-p-other',
    ]);
  });

  it('the alert is resolved when another release is in force, and fires again when its own comes back', async () => {
    alerts.loaded(release);
    alerts.disagreed(release, place);
    alerts.loaded({ ...release, manifestVersion: 'v3' });
    alerts.loaded({ ...release, policySha: 'mended', manifestVersion: 'v4' });
    alerts.loaded({ ...release, policySha: 'mended', manifestVersion: 'v4' });
    alerts.disagreed(release, place);
    await settled();
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved', 'firing']);
    expect(sent[1]?.startsAtMs).toBe(sent[0]?.startsAtMs);
    expect(sent[1]!.summary).toBe('Release v4 is in force');
  });

  it('the alert that is not delivered is reported, and keeps nothing from being sent after it', async () => {
    receive = (alert) =>
      alert.status === 'firing' ? Promise.reject(new Error('down')) : Promise.resolve(void sent.push(alert));
    alerts.disagreed(release, place);
    alerts.loaded({ ...release, policySha: 'mended' });
    await settled();
    expect(undelivered).toEqual([new Error('down')]);
    expect(sent).toMatchObject([{ status: 'resolved' }]);
  });
});
