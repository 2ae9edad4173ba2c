import type { AlertReceiverConfig } from '../../settings/settings';
import type { AlertReceiver } from '../alert';
import { toAlertmanager } from '../to-alertmanager';
import { postWebhook, type ReceiverDeps } from './webhook';

/** Sends what Alertmanager itself would send to a webhook, so anything that takes its webhooks takes ours. */
export function createAlertmanagerReceiver(config: AlertReceiverConfig, deps: ReceiverDeps): AlertReceiver {
  return {
    name: deps.name,
    send: (alert) => postWebhook(config, deps, toAlertmanager(alert, deps.name, deps.uiUrl)),
  };
}
