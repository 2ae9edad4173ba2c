import { dirname, join } from 'node:path';
import { canonicalJson } from '../../kernel/canonical-json';
import { sha256 } from '../../kernel/digest';
import { repeat } from '../../kernel/repeat';
import { userDataFolder } from '../../platform/files/user-folders';
import { systemTimers } from '../../platform/timers/system-timers';
import { createHttpFetch, type TlsFiles } from '../../platform/http/http-client';
import type { SettingsSecret } from '../../platform/documents/schema-types';
import { readSecret } from '../../platform/files/read-secret';
import { secretDeps } from '../../settings/secret-deps';
import type { LoadedSettings } from '../../settings/load-settings';
import type { AlertReceiver } from '../alert';
import { createAlertDispatcher, type AlertDispatcher, type AlertMetrics } from '../alert-dispatcher';
import { alertLabels } from '../alert-labels';
import { createEvaluatorAlerts, type EvaluatorAlerts } from '../evaluator-alerts';
import { createAlertReceivers } from '../receivers/create-receivers';
import { createReleaseAlerts, type ReleaseAlerts } from '../release-alerts';
import { createStandingAlerts } from '../standing-alerts';
import { createAlertMemory, forgetVanished } from './alert-memory';
import { createWedgedAlerts, type WedgedAlerts } from '../wedged-alerts';

export interface AlertsOptions {
  env: Readonly<Record<string, string | undefined>>;
  metrics: AlertMetrics;
  /** told of alerts about releases that no one awaits */
  logger: { warn(details: object, message: string): void };
  /** the program's own receivers, beside those that the settings name */
  own?: readonly AlertReceiver[];
}

export interface Alerts {
  dispatcher: AlertDispatcher;
  /** alerts about the newest release */
  releases: ReleaseAlerts;
  /** alerts about releases whose two evaluators do not agree */
  evaluators: EvaluatorAlerts;
  /** alerts about workflows whose workflow task fails again and again */
  wedged: WedgedAlerts;
  /** ends the reminders; waits for no receiver: what is under way is sent again by the next worker */
  stop(): void;
}

/** Reminders and messages that were not taken may be this much late. */
const REMIND_EVERY_MS = 60_000;

/**
 * The receivers that the settings name; their secrets are read when they are first used. Only what an earlier worker left
 * firing is read here.
 *
 * @throws GateError ConfigInvalid
 */
export function openAlerts(
  { settings, baseDir }: LoadedSettings,
  { env, metrics, logger, own = [] }: AlertsOptions,
): Alerts {
  const { receivers, uiUrl } = settings.alerts;
  const deps = {
    readSecret: (ref: SettingsSecret) => readSecret(ref, secretDeps({ settings, baseDir }, env)),
    fetchWith: (tls: TlsFiles | undefined) => createHttpFetch({ env, tls, folder: baseDir }),
    uiUrl,
  };
  const all = [...createAlertReceivers(receivers, deps), ...own];
  const dispatcher = createAlertDispatcher(all, metrics);
  const nowMs = (): number => Date.now();
  const { labels } = settings.alerts;
  const folder = memoryFolder({ settings, baseDir }, env);
  if (all.length > 0) {
    const forgotten = forgetVanished(dirname(folder), folder, nowMs());
    forgotten.catch((error: unknown) => logger.warn({ error }, 'what workers of the past left firing stays on disk'));
  }
  const standing = createStandingAlerts({
    send: (alert) => dispatcher.send(alert),
    settle: (alert) => dispatcher.settle(alert),
    labels: (alert) => alertLabels(alert, labels),
    nowMs,
    onUndelivered: (failure) => logger.warn({ error: failure }, 'alert not delivered: it is sent again'),
    // Without receivers nothing is left firing.
    ...(all.length === 0 ? {} : { memory: createAlertMemory(folder) }),
    onForgotten: (error) => logger.warn({ error }, 'what a worker leaves firing cannot be kept on disk'),
  });
  const reminding = repeat({ timers: systemTimers, everyMs: REMIND_EVERY_MS, act: () => standing.remind() });
  const { manifest } = settings.release;
  return {
    dispatcher,
    releases: createReleaseAlerts({ standing, manifest, nowMs }),
    evaluators: createEvaluatorAlerts({ standing, nowMs }),
    wedged: createWedgedAlerts(standing),
    stop: () => void reminding.stop(),
  };
}

/** What one worker leaves firing is for the next one of the same release and the same task queue. */
function memoryFolder({ settings, baseDir }: LoadedSettings, env: AlertsOptions['env']): string {
  const { taskQueue, address = env.TEMPORAL_ADDRESS, namespace = env.TEMPORAL_NAMESPACE } = settings.temporal;
  const { manifest } = settings.release;
  const of = [manifest.includes('://') ? '' : baseDir, manifest, taskQueue, address ?? '', namespace ?? ''];
  return join(userDataFolder('alerts', env), sha256(canonicalJson(of)).slice(0, 32));
}
