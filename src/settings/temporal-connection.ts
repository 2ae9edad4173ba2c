import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import type { Settings } from './settings';
import { configInvalid } from '../platform/documents/loaders/read-bytes';

export interface TemporalConnectionConfig {
  /** fit for Connection.connect and NativeConnection.connect */
  connectionOptions: ClientConnectConfig['connectionOptions'] & { address: string };
  namespace: string;
  address: string;
}

/**
 * How to reach Temporal: what the settings say, else Temporal's own variables (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`,
 * `TEMPORAL_API_KEY`, `TEMPORAL_TLS_…`), else its profile file, else `localhost:7233` and `default`.
 *
 * @throws GateError ConfigInvalid when a profile is named that does not exist, or its file or a certificate cannot be read
 */
export function temporalConnectionConfig(
  settings: Pick<Settings, 'temporal'>,
  env: Readonly<Record<string, string | undefined>>,
): TemporalConnectionConfig {
  const { profile, address: givenAddress, namespace: givenNamespace } = settings.temporal;
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  let loaded: ClientConnectConfig;
  try {
    loaded = loadClientConnectConfig({ profile, overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    const { message } = error as Error;
    throw configInvalid("Temporal's client configuration", message, error);
  }
  const address = givenAddress ?? loaded.connectionOptions.address ?? 'localhost:7233';
  const namespace = givenNamespace ?? loaded.namespace ?? 'default';
  return { connectionOptions: { ...loaded.connectionOptions, address }, namespace, address };
}
