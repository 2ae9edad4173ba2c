import { createHttpFetch, type TlsFiles } from '../../platform/http/http-client';
import { readSecret } from '../../platform/files/read-secret';
import type { LoadedSettings } from '../../settings/load-settings';
import type { Alert } from '../alert';
import { createAlertDispatcher, type AlertDispatcher, type AlertMetrics } from '../alert-dispatcher';
import { alertLabels } from '../alert-labels';
import { createEvaluatorAlerts, type EvaluatorAlerts } from '../evaluator-alerts';
import { createAlertReceivers } from '../receivers/create-receivers';
import { createReleaseAlerts, type ReleaseAlerts } from '../release-alerts';
import { createWedgedAlerts, type WedgedAlerts } from '../wedged-alerts';

export interface AlertsOptions {
  env: Readonly<Record<string, string | undefined>>;
  metrics: AlertMetrics;
  /** told of alerts about releases that no one awaits */
  logger: { warn(details: object, message: string): void };
}

export interface Alerts {
  dispatcher: AlertDispatcher;
  /** alerts about the newest release */
  releases: ReleaseAlerts;
  /** alerts about releases whose two evaluators do not agree */
  evaluators: EvaluatorAlerts;
  /** alerts about workflows whose workflow task fails again and again */
  wedged: WedgedAlerts;
}

/**
 * The receivers that the settings name. Opening does no I/O: their secrets are read when they are first used.
 *
 * @throws GateError ConfigInvalid
 */
export function openAlerts({ settings, baseDir }: LoadedSettings, { env, metrics, logger }: AlertsOptions): Alerts {
  const { receivers, uiUrl } = settings.alerts;
  const deps = {
    readSecret: (ref: Parameters<typeof readSecret>[0]) => readSecret(ref, { env, configFolder: baseDir }),
    fetchWith: (tls: TlsFiles | undefined) => createHttpFetch({ env, tls, folder: baseDir }),
    uiUrl,
  };
  const dispatcher = createAlertDispatcher(createAlertReceivers(receivers, deps), metrics);
  const unawaited = {
    send: (alert: Alert) => dispatcher.send({ ...alert, labels: alertLabels(alert, settings.alerts.labels) }),
    nowMs: () => Date.now(),
    onUndelivered: (failure: unknown) => logger.warn({ error: failure }, 'alert not delivered'),
  };
  return {
    dispatcher,
    releases: createReleaseAlerts(unawaited),
    evaluators: createEvaluatorAlerts(unawaited),
    wedged: createWedgedAlerts(unawaited),
  };
}
