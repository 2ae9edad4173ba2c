import type { Alert, AlertReceiver } from '../alerts/alert';
import { rejection, type TestFramework } from './test-framework';

/** A receiver under test, and what stands behind it. */
export interface ReceiverUnderTest {
  receiver: AlertReceiver;
  /** how many messages have come so far */
  taken(): number;
  /** from now on messages are taken or refused for good */
  takes(isTaking: boolean): Promise<void>;
  close(): Promise<void>;
}

const ALERT: Alert = {
  status: 'firing',
  fingerprint: 'f-1',
  name: 'DeploymentPaused',
  deploymentId: 'firmware-1.4.0',
  stage: 'canary',
  severity: 'critical',
  labels: { alertname: 'DeploymentPaused', deployment_id: 'firmware-1.4.0', stage: 'canary', severity: 'critical' },
  summary: 'firmware-1.4.0 is paused on FactStale',
  description: 'max_pending is a minute old, 5 seconds are allowed\ngate resume firmware-1.4.0',
  startsAtMs: Date.parse('2026-11-01T12:00:00Z'),
  reminder: 0,
};

/** What every receiver of alerts keeps to: a message is taken, or the sender learns that it was not. */
export function describeAlertReceiver(
  { describe, it, expect }: TestFramework,
  name: string,
  open: () => Promise<ReceiverUnderTest>,
): void {
  describe(`alert receiver contract on ${name}`, () => {
    const using = async (work: (opened: ReceiverUnderTest) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await opened.takes(true);
        await work(opened);
      } finally {
        await opened.close();
      }
    };

    it('a receiver takes a message once, and the one that it is over', () =>
      using(async ({ receiver, taken }) => {
        expect(receiver.name).toEqual(expect.stringMatching(/./));
        await receiver.send(ALERT);
        expect(taken()).toBe(1);
        await receiver.send({ ...ALERT, status: 'resolved', endsAtMs: ALERT.startsAtMs + 60_000 });
        expect(taken()).toBe(2);
      }));

    it('a receiver takes a message about a release, which has no deployment', () =>
      using(async ({ receiver, taken }) => {
        const { deploymentId: _id, stage: _stage, labels: _labels, severity: _severity, ...rest } = ALERT;
        await receiver.send({ ...rest, name: 'ReleaseRefused' });
        expect(taken()).toBe(1);
      }));

    it('a receiver rejects for a message that was not taken, and takes it at the next try', () =>
      using(async ({ receiver, taken, takes }) => {
        await takes(false);
        expect((await rejection(receiver.send(ALERT))) instanceof Error).toBe(true);
        const before = taken();
        await takes(true);
        await receiver.send(ALERT);
        expect(taken()).toBe(before + 1);
      }));
  });
}
