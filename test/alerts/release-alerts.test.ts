import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Alert } from '../../src/alerts/alert';
import { createAlertDispatcher } from '../../src/alerts/alert-dispatcher';
import { createStandingAlerts } from '../../src/alerts/standing-alerts';
import { createReleaseAlerts, type ReleaseAlerts } from '../../src/alerts/release-alerts';
import { FailureType, GateError } from '../../src/kernel/failures';
import type { Release } from '../../src/releases/release';

const release = { ref: { policySha: 'p', configRev: 'c', manifestVersion: 'v2' } } as Release;
const refused = new GateError(FailureType.PolicyInvalid, 'bad wasm; bad limit', [
  { type: FailureType.PolicyInvalid, message: 'bad wasm' },
  { type: FailureType.ConfigInvalid, message: 'bad limit' },
]);
const outOfReach = new GateError(FailureType.PolicyUnavailable, '503');

let sent: Alert[];
let undelivered: unknown[];
let receive: (alert: Alert) => Promise<void>;
let settledAlerts: Alert[];
let nowMs: number;
let alerts: ReleaseAlerts;

beforeEach(() => {
  sent = [];
  undelivered = [];
  receive = async (alert) => void sent.push(alert);
  settledAlerts = [];
  nowMs = 999;
  // The real dispatcher: it must not take what comes back for what was sent already.
  const dispatcher = createAlertDispatcher([{ name: 'receiver', send: (alert) => receive(alert) }], {
    sent: () => undefined,
    failed: () => undefined,
  });
  alerts = createReleaseAlerts({
    standing: createStandingAlerts({
      send: (alert) => dispatcher.send(alert),
      settle: async (alert) => void settledAlerts.push(alert),
      nowMs: () => nowMs,
      onUndelivered: (error) => undelivered.push(error),
    }),
    manifest: 's3://releases/latest.json',
    nowMs: () => (nowMs += 1),
  });
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the alert about a release', () => {
  it('the alert about a release fires when one is refused, with every fault and what stays in force', async () => {
    alerts.refused(refused, release);
    await settled();
    expect(sent).toEqual([
      {
        status: 'firing',
        fingerprint: expect.any(String),
        name: 'ReleaseRefused',
        manifest: 's3://releases/latest.json',
        labels: { alertname: 'ReleaseRefused', manifest: 's3://releases/latest.json' },
        summary: 'A new release was refused; version v2 stays in force',
        description: 'bad wasm\nbad limit',
        startsAtMs: 1_000,
        reminder: 0,
        nextReminderAtMs: 1_000 + 15 * 60_000,
      },
    ]);
  });

  it('the alert about a refused release has a fingerprint of its manifest, whatever a worker says of it', async () => {
    const other = new GateError(FailureType.PolicyInvalid, 'the same, in other words');
    alerts.refused(refused, release, 'digest-1');
    alerts.refused(other, undefined, 'digest-1');
    alerts.refused(other, undefined, 'digest-2');
    await settled();
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved', 'firing']);
    expect(sent[2]?.fingerprint).not.toBe(sent[0]?.fingerprint);
  });

  it('a worker that starts healthy settles both alerts of its manifest, once, at receivers that know what fires', async () => {
    alerts.healthy(release);
    alerts.healthy(release);
    await settled();
    expect(sent).toEqual([]);
    expect(settledAlerts.map(({ status, labels }) => [status, labels?.alertname, labels?.manifest])).toEqual([
      ['resolved', 'ReleaseRefused', 's3://releases/latest.json'],
      ['resolved', 'ReleaseUnavailable', 's3://releases/latest.json'],
    ]);
  });

  it.each<[string, GateError, Release | undefined, string, string]>([
    ['refused at start', refused, undefined, 'ReleaseRefused', 'no release is in force: nothing is decided'],
    ['out of reach', outOfReach, release, 'ReleaseUnavailable', 'The newest release cannot be read; version v2 stays'],
  ])('the alert about a release says so when one is %s', async (_, error, kept, name, summary) => {
    alerts.refused(error, kept);
    await settled();
    expect(sent[0]).toMatchObject({ name, summary: expect.stringContaining(summary) });
  });

  it('the alert about a release is resolved when the next good one is in force, once', async () => {
    alerts.refused(refused, release);
    alerts.healthy(release);
    alerts.healthy(release);
    await settled();
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(sent[1]).toMatchObject({
      fingerprint: sent[0]?.fingerprint,
      startsAtMs: 1_000,
      endsAtMs: 1_001,
      summary: 'Release v2 is in force',
    });
  });

  it('the alert about a release gives way to one about another reason', async () => {
    alerts.refused(refused, release);
    alerts.refused(outOfReach, release);
    await settled();
    expect(sent.map(({ status, name }) => [status, name])).toEqual([
      ['firing', 'ReleaseRefused'],
      ['resolved', 'ReleaseRefused'],
      ['firing', 'ReleaseUnavailable'],
    ]);
  });

  it('the alert about a release fires again when the same thing happens again', async () => {
    for (let times = 0; times < 2; times += 1) {
      alerts.refused(outOfReach, release);
      alerts.healthy(release);
    }
    await settled();
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved', 'firing', 'resolved']);
  });

  it('the alert about a release is not resolved before it was sent, however long that takes', async () => {
    let deliver = (): void => undefined;
    const slow = new Promise<void>((resolve) => (deliver = resolve));
    receive = async (alert) => {
      if (alert.status === 'firing') await slow;
      sent.push(alert);
    };
    alerts.refused(refused, release);
    alerts.healthy(release);
    await settled();
    expect(sent).toEqual([]);
    deliver();
    await settled();
    expect(sent.map(({ status }) => status)).toEqual(['firing', 'resolved']);
  });

  it('the alert about a release that is not delivered is told, and the next one is sent all the same', async () => {
    receive = async (alert) => {
      if (alert.status === 'firing') throw new Error('receiver down');
      sent.push(alert);
    };
    alerts.refused(refused, release);
    alerts.healthy(release);
    await settled();
    expect(undelivered).toHaveLength(1);
    expect(sent.map(({ status }) => status)).toEqual(['resolved']);
  });
});
