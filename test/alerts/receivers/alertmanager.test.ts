import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Alert, AlertReceiver } from '../../../src/alerts/alert';
import { createAlertDispatcher } from '../../../src/alerts/alert-dispatcher';
import { stepIncident, type Incident, type IncidentEvent } from '../../../src/alerts/incident';
import { createReleaseAlerts } from '../../../src/alerts/release-alerts';
import { createStandingAlerts } from '../../../src/alerts/standing-alerts';
import { createAlertReceivers } from '../../../src/alerts/receivers/create-receivers';
import type { AlertmanagerWebhook } from '../../../src/alerts/to-alertmanager';
import { startAlertReceiver, type AlertReceiverServer } from '../../../src/dev/alert-receiver';
import { freePorts } from '../../../src/dev/free-ports';
import { startHttpChild } from '../../../src/dev/http-child';
import { endAlert, firingAlert, incidentLabels, resolvedAlert } from '../../../src/gate/deployments/deployment-alerts';
import { ALERT_EVENTS } from '../../../src/kernel/alert-event';
import { createHttpFetch } from '../../../src/platform/http/http-client';
import { FailureType, GateError } from '../../../src/kernel/failures';
import type { Release } from '../../../src/releases/release';
import { findTool } from '../../../src/platform/tools/find-tool';
import { aPause, aStatus } from '../../gate/deployments/a-status';
import { eventually } from '../../support/eventually';
import { canHaveTool } from '../../support/tool-folder';

interface Shown {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  endsAt: string;
}

const TIMES = { remindAfterMs: 900_000, remindAtMostMs: 86_400_000, resolveAfterMs: 120_000 };
const place = (deploymentId: string) => ({ deploymentId, stage: 'canary' });

const withAlertmanager = canHaveTool('alertmanager') ? describe : describe.skip;

withAlertmanager('a real Alertmanager', () => {
  let folder: string;
  let server: { stop(): Promise<void> };
  let endpoint: string;
  let downstream: AlertReceiverServer;
  let api: AlertReceiver;
  let webhook: AlertReceiver;
  let run = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'alertmanager-'));
    downstream = await startAlertReceiver();
    const config = {
      route: {
        receiver: 'all',
        group_by: ['alertname'],
        group_wait: '100ms',
        group_interval: '200ms',
        repeat_interval: '1h',
      },
      receivers: [{ name: 'all', webhook_configs: [{ url: downstream.url, send_resolved: true }] }],
    };
    // JSON is YAML.
    writeFileSync(join(folder, 'alertmanager.yml'), JSON.stringify(config));
    const { path } = await findTool('alertmanager');
    const [port] = await freePorts(1);
    endpoint = `http://127.0.0.1:${port}`;
    const listen = [`--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='];
    server = await startHttpChild({
      what: 'Alertmanager',
      command: path,
      args: [`--config.file=${join(folder, 'alertmanager.yml')}`, `--storage.path=${join(folder, 'data')}`, ...listen],
      env: process.env,
      endpoint,
      logFile: join(folder, 'alertmanager.log'),
    });
    const url = `${endpoint}/api/v2/alerts`;
    const formats = ['alertmanager-api', 'alertmanager'] as const;
    const configs = formats.map((format) => ({ format, url, timeout: '5s' }));
    const deps = {
      readSecret: () => '',
      fetchWith: () => createHttpFetch({ env: {}, folder }),
      uiUrl: 'http://127.0.0.1:8233',
    };
    [api, webhook] = createAlertReceivers(configs, deps) as [AlertReceiver, AlertReceiver];
  }, 600_000);
  afterAll(async () => {
    await server?.stop();
    await downstream?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  let ids: string[];
  beforeEach(() => {
    run += 1;
    ids = ['a', 'b', 'c'].map((name) => `${name}-${run}`);
  });

  const shown = async (): Promise<Shown[]> => {
    const all = (await (await fetch(`${endpoint}/api/v2/alerts`)).json()) as Shown[];
    return all.filter(({ labels }) => ids.includes(labels.deployment_id ?? ''));
  };
  /** What Alertmanager told its own receiver of a deployment: each change of an alert's status once. */
  const changes = (id: string): string[] => {
    const seen = downstream.received.flatMap(({ body }) =>
      (body as unknown as AlertmanagerWebhook).alerts
        .filter(({ labels }) => labels.deployment_id === id)
        .map(({ labels, status }) => `${status} ${labels.alertname}`),
    );
    return seen.filter((one, index) => one !== seen[index - 1]);
  };
  /** The messages of an incident, in the order of its events. */
  const messages = (id: string, events: [IncidentEvent['type'], number][]): Alert[] => {
    let incident: Incident | undefined;
    return events.flatMap(([type, atMs]) => {
      const event =
        type === 'trouble'
          ? { type, id: `pause-${id}`, labels: incidentLabels(place(id), { team: 'core' }) }
          : { type };
      const step = stepIncident(incident, event, atMs, TIMES);
      const told = step.incident ?? incident;
      incident = step.incident;
      const { message } = step;
      if (!message || !told) return [];
      const status = aStatus({ deploymentId: id });
      // The reason changes from message to message.
      const pause = aPause({ reason: `Reason${message.reminder}` });
      return message.status === 'firing'
        ? firingAlert(told, message, status, pause)
        : resolvedAlert(told, message, status, 'over');
    });
  };

  it('a real Alertmanager takes the messages of an incident for one alert, from the first to the resolved one', async () => {
    const now = Date.now();
    const [id = ''] = ids;
    const [first, second, last] = messages(id, [
      ['trouble', now - 1_000_000],
      ['time', now - 100_000],
      ['over', now],
    ]) as [Alert, Alert, Alert];
    await api.send(first);
    await eventually('the alert', async () => (await shown()).length === 1);
    await eventually('its notification', () => changes(id).length === 1);
    await api.send(second);
    await eventually('the reminder', async () => (await shown())[0]?.annotations.pause_reason === 'Reason1');
    const [alert] = await shown();
    expect(await shown()).toHaveLength(1);
    expect(alert?.labels).toEqual({
      alertname: 'DeploymentPaused',
      deployment_id: id,
      stage: 'canary',
      severity: 'warning',
      team: 'core',
    });
    expect(Date.parse(alert?.endsAt ?? '')).toBe((second.nextReminderAtMs ?? NaN) + 600_000);
    await api.send(last);
    await eventually('no alert', async () => (await shown()).length === 0);
    await eventually('the resolved notification', () => changes(id).at(-1) === 'resolved DeploymentPaused');
    expect(changes(id)).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused']);
  });

  it('a real Alertmanager drops and doubles nothing by its grouping', async () => {
    const now = Date.now();
    const all = ids.map(
      (id) =>
        messages(id, [
          ['trouble', now - 10_000],
          ['over', now],
        ]) as [Alert, Alert],
    );
    // The same message twice, as a retried activity or a second worker sends it.
    for (const [firing] of all) await Promise.all([api.send(firing), api.send(firing)]);
    await eventually('three alerts', async () => (await shown()).length === 3);
    for (const id of ids) await eventually(`news of ${id}`, () => changes(id).length === 1);
    const [one = ''] = ids;
    await api.send(all[0]![1]);
    const ended = { ...place(one), event: 'failed', runId: 'run', atMs: now, summary: 'it failed' } as const;
    await api.send(endAlert(ended, { on: ALERT_EVENTS, labels: {} })!);
    await eventually('the end', () => changes(one).includes('firing DeploymentFailed'));
    await eventually('its resolved one', () => changes(one).includes('resolved DeploymentPaused'));
    expect((await shown()).map(({ labels }) => `${labels.alertname} ${labels.deployment_id}`).sort()).toEqual([
      `DeploymentFailed ${one}`,
      ...ids.slice(1).map((id) => `DeploymentPaused ${id}`),
    ]);
    for (const [, resolved] of all.slice(1)) await api.send(resolved);
    for (const id of ids.slice(1)) {
      await eventually(`the end of ${id}`, () => changes(id).length === 2);
      expect(changes(id)).toEqual(['firing DeploymentPaused', 'resolved DeploymentPaused']);
    }
  });

  it('a real Alertmanager refuses the body of a webhook, which the receiver says without repeating it', async () => {
    const [alert] = messages(ids[0] ?? '', [['trouble', Date.now()]]) as [Alert];
    await expect(webhook.send(alert)).rejects.toThrow('answered 400');
  });

  it('a real Alertmanager resolves what a worker left firing when the next one starts healthy, and tells nothing else', async () => {
    // Each as a worker on a machine of its own: the memory of the one before is gone.
    const starts = (manifest: string) => {
      const { send, settle } = createAlertDispatcher([api], { sent: () => undefined, failed: () => undefined });
      const nowMs = () => Date.now();
      const standing = createStandingAlerts({ send, settle, nowMs, onUndelivered: (error) => failures.push(error) });
      return { standing, alerts: createReleaseAlerts({ standing, manifest, nowMs }) };
    };
    const failures: unknown[] = [];
    const release = { ref: { policySha: 'p', configRev: 'c', manifestVersion: 'v2' } } as Release;
    const refused = new GateError(FailureType.PolicyInvalid, 'bad wasm', [
      { type: FailureType.PolicyInvalid, message: 'bad wasm' },
    ]);
    const firing = async (): Promise<string[]> => {
      const all = (await (await fetch(`${endpoint}/api/v2/alerts`)).json()) as Shown[];
      return all.map(({ labels }) => `${labels.alertname} ${labels.manifest}`).filter((name) => name.includes('s3://'));
    };
    starts('s3://a/latest.json').alerts.refused(refused, undefined, 'digest');
    starts('s3://b/latest.json').alerts.refused(refused, undefined, 'digest');
    const both = ['ReleaseRefused s3://a/latest.json', 'ReleaseRefused s3://b/latest.json'];
    await eventually('both alerts', async () => (await firing()).length === 2);
    expect((await firing()).sort()).toEqual(both);

    const next = starts('s3://a/latest.json');
    next.alerts.healthy(release);
    await next.standing.remind();
    await eventually('one alert', async () => (await firing()).length === 1);
    expect(await firing()).toEqual(both.slice(1));
    const names = downstream.received.flatMap(({ body }) =>
      (body as unknown as AlertmanagerWebhook).alerts.map(({ labels }) => labels.alertname),
    );
    expect(names).not.toContain('ReleaseUnavailable');
    expect(failures).toEqual([]);
  });
});
