import type { AlertReceiverConfig } from '../../settings/settings';
import type { HttpFetch } from '../../platform/http/http-client';
import type { AlertReceiver } from '../alert';
import { createAlertmanagerReceiver } from './alertmanager';
import { createAlertmanagerApiReceiver } from './alertmanager-api';
import { createSlackReceiver } from './slack';
import type { ReceiverDeps } from './webhook';

const FORMATS = {
  alertmanager: createAlertmanagerReceiver,
  'alertmanager-api': createAlertmanagerApiReceiver,
  slack: createSlackReceiver,
} as const;

/** One receiver for each configuration, in order, named by format and place: `slack`, `alertmanager`, `slack-2`. */
export function createAlertReceivers(
  configs: readonly AlertReceiverConfig[],
  {
    fetchWith,
    ...deps
  }: Omit<ReceiverDeps, 'name' | 'fetch'> & { fetchWith(tls: AlertReceiverConfig['tls']): HttpFetch },
): AlertReceiver[] {
  const count = new Map<string, number>();
  return configs.map((config) => {
    const place = (count.get(config.format) ?? 0) + 1;
    count.set(config.format, place);
    return FORMATS[config.format](config, {
      ...deps,
      fetch: fetchWith(config.tls),
      name: place === 1 ? config.format : `${config.format}-${place}`,
    });
  });
}
