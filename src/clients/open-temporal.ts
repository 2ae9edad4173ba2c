import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { LoadedSettings } from '../settings/load-settings';
import { reachTemporal } from '../platform/temporal/connection/reach-temporal';
import { gateDataConverter } from '../settings/open-data-converter';
import { temporalConnectionConfig, type TemporalConnectionConfig } from '../settings/temporal-connection';

/** A client of the namespace, with all that it was made from. */
export interface OpenedTemporal extends TemporalConnectionConfig {
  client: Client;
  /** that of `client`; its opener closes it */
  connection: Connection;
  dataConverter: DataConverter;
}

/** How long a server may take to answer. */
export const CONNECT_TIMEOUT_MS = 10_000;

/**
 * A client of the Temporal server that the settings name, or Temporal's own variables.
 *
 * @throws GateError ConfigInvalid when a key, a certificate or a profile cannot be read; TemporalUnreachable
 */
export async function openTemporal(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
): Promise<OpenedTemporal> {
  const dataConverter = await gateDataConverter(loaded, env);
  const config = temporalConnectionConfig(loaded.settings, env);
  const connection = await connectTemporal(config, env, connectTimeoutMs);
  const { namespace } = config;
  const client = new Client({ connection, namespace, dataConverter });
  return { ...config, client, connection, dataConverter };
}

/** A connection alone; @throws TemporalUnreachable */
export function connectTemporal(
  { address, connectionOptions }: TemporalConnectionConfig,
  env: NodeJS.ProcessEnv,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
): Promise<Connection> {
  const options = { ...connectionOptions, connectTimeout: connectTimeoutMs };
  return reachTemporal(address, env, () => Connection.connect(options));
}
