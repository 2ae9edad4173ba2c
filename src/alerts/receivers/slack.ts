import type { AlertReceiverConfig } from '../../settings/settings';
import type { AlertReceiver } from '../alert';
import { toSlack } from '../to-slack';
import { postWebhook, type ReceiverDeps } from './webhook';

/** Slack's incoming webhook. */
export function createSlackReceiver(config: AlertReceiverConfig, deps: ReceiverDeps): AlertReceiver {
  return { name: deps.name, send: (alert) => postWebhook(config, deps, toSlack(alert, deps.uiUrl)) };
}
