import type { AlertReceiverConfig } from '../../settings/settings';
import type { AlertReceiver } from '../alert';
import { toAlertmanagerApi } from '../to-alertmanager-api';
import { postWebhook, type ReceiverDeps } from './webhook';

/** Alertmanager's own API, `…/api/v2/alerts`: it groups, repeats, silences and routes. */
export function createAlertmanagerApiReceiver(config: AlertReceiverConfig, deps: ReceiverDeps): AlertReceiver {
  return {
    name: deps.name,
    knowsWhatFires: true,
    send: (alert) => postWebhook(config, deps, toAlertmanagerApi(alert, Date.now(), deps.uiUrl)),
  };
}
