import { describe, expect, it } from '@jest/globals';
import type { Alert } from '../../src/alerts/alert';
import { toAlertmanager } from '../../src/alerts/to-alertmanager';
import { cut, escapeSlack, SLACK_LIMITS, toSlack } from '../../src/alerts/to-slack';

const alert: Alert = {
  status: 'firing',
  fingerprint: 'pause-1',
  name: 'DeploymentPaused',
  deploymentId: 'fw-1',
  stage: 'fleet',
  pauseReason: 'FactStale',
  summary: 'fw-1 is paused at fleet',
  description: 'max_pending is 50s old',
  startsAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  reminder: 0,
};

describe("Alertmanager's format", () => {
  it("Alertmanager's format is the webhook body of version 4", () => {
    const labels = { alertname: 'DeploymentPaused', deployment_id: 'fw-1', stage: 'fleet' };
    const annotations = {
      summary: alert.summary,
      description: alert.description,
      reminder: '0',
      pause_reason: 'FactStale',
    };
    expect(toAlertmanager(alert, 'alertmanager', 'http://ui')).toEqual({
      version: '4',
      groupKey: '{}:{alertname="DeploymentPaused", deployment_id="fw-1"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'alertmanager',
      groupLabels: { alertname: 'DeploymentPaused', deployment_id: 'fw-1' },
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: 'http://ui',
      alerts: [
        {
          status: 'firing',
          labels,
          annotations,
          startsAt: '2026-01-02T03:04:05.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'http://ui',
          fingerprint: 'pause-1',
        },
      ],
    });
  });

  it("Alertmanager's format keeps labels and fingerprint from the first message through reminders to resolved", () => {
    const all = [alert, { ...alert, reminder: 3 }, { ...alert, status: 'resolved' as const, endsAtMs: 0 }].map(
      (each) => toAlertmanager(each, 'r').alerts[0],
    );
    expect(new Set(all.map((each) => JSON.stringify([each?.labels, each?.fingerprint, each?.startsAt]))).size).toBe(1);
  });

  it.each<[string, number | undefined, string]>([
    ['at its end', alert.startsAtMs + 1000, '2026-01-02T03:04:06.000Z'],
    ['at its start where the end is not known', undefined, '2026-01-02T03:04:05.000Z'],
  ])('a resolved alert ends %s', (_name, endsAtMs, endsAt) => {
    const body = toAlertmanager({ ...alert, status: 'resolved', endsAtMs }, 'r');
    expect([body.status, body.alerts[0]?.status, body.alerts[0]?.endsAt]).toEqual(['resolved', 'resolved', endsAt]);
  });

  it("Alertmanager's format has no label for what an alert does not concern, and no address where there is none", () => {
    const body = toAlertmanager({ ...alert, deploymentId: undefined, stage: undefined, pauseReason: undefined }, 'r');
    expect(body.commonLabels).toEqual({ alertname: 'DeploymentPaused' });
    expect(body.groupKey).toBe('{}:{alertname="DeploymentPaused"}');
    expect(body.externalURL).toBe('');
  });
});

describe("Slack's format", () => {
  it("Slack's message says what, where, why and since when", () => {
    const mrkdwn = (text: string) => ({ type: 'mrkdwn', text, verbatim: true });
    expect(toSlack(alert, 'http://ui')).toEqual({
      text: 'FIRING: fw-1 is paused at fleet',
      blocks: [
        { type: 'section', text: mrkdwn('*FIRING: fw-1 is paused at fleet*') },
        {
          type: 'section',
          fields: [mrkdwn('*Deployment*\nfw-1'), mrkdwn('*Stage*\nfleet'), mrkdwn('*Reason*\nFactStale')],
        },
        { type: 'section', text: mrkdwn('max_pending is 50s old') },
        {
          type: 'context',
          elements: [mrkdwn('DeploymentPaused since 2026-01-02T03:04:05.000Z · id pause-1 · http://ui')],
        },
      ],
    });
  });

  it.each<[Partial<Alert>, string]>([
    [{ reminder: 0 }, 'FIRING: '],
    [{ reminder: 2 }, 'STILL FIRING: '],
    [{ reminder: 2, status: 'resolved' }, 'RESOLVED: '],
  ])('%j begins with %s', (over, start) => {
    expect(toSlack({ ...alert, ...over }).text.startsWith(start)).toBe(true);
  });

  it("Slack's message counts reminders", () => {
    expect(JSON.stringify(toSlack({ ...alert, reminder: 2 }))).toContain('reminder 2');
  });

  it("Slack's message leaves out blocks that would be empty, which Slack refuses", () => {
    const bare = { ...alert, deploymentId: undefined, stage: undefined, pauseReason: undefined, description: ' ' };
    expect(toSlack(bare).blocks.map((block) => block.type)).toEqual(['section', 'context']);
  });

  it("Slack's message makes no mention or link of what an alert says", () => {
    const message = JSON.stringify(toSlack({ ...alert, summary: '<!channel> a & b', description: '<http://x|y>' }));
    expect(message).not.toMatch(/<!channel>|<http/);
    expect(escapeSlack('<!channel> a & b')).toBe('&lt;!channel&gt; a &amp; b');
  });

  it("Slack's message keeps every text within its limit", () => {
    const long = '<&>'.repeat(5000);
    const { text, blocks } = toSlack({ ...alert, summary: long, description: long, stage: long, fingerprint: long });
    expect(text.length).toBeLessThanOrEqual(SLACK_LIMITS.text);
    for (const block of blocks) {
      const texts = 'text' in block ? [block.text] : 'fields' in block ? block.fields : block.elements;
      const limit = 'text' in block ? SLACK_LIMITS.section : SLACK_LIMITS.field;
      for (const each of texts) expect(each.text.length).toBeLessThanOrEqual(limit);
    }
  });

  it.each<[string, string, number, string]>([
    ['a text just under the limit stays', 'a'.repeat(19), 20, 'a'.repeat(19)],
    ['a text at the limit stays', 'a'.repeat(20), 20, 'a'.repeat(20)],
    ['a text just over it is cut', 'a'.repeat(21), 20, 'a'.repeat(13) + '… (cut)'],
    ['no entity is cut in two', 'a'.repeat(11) + '&amp;'.repeat(3), 20, 'a'.repeat(11) + '… (cut)'],
    ['an entity that fits stays whole', 'a'.repeat(8) + '&amp;'.repeat(3), 20, 'a'.repeat(8) + '&amp;' + '… (cut)'],
    ['no surrogate pair is cut in two', 'a'.repeat(12) + '😀'.repeat(9), 20, 'a'.repeat(12) + '… (cut)'],
  ])('%s', (_name, text, limit, wanted) => {
    expect(cut(text, limit)).toBe(wanted);
  });
});
