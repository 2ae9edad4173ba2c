import type { Client, Connection } from '@temporalio/client';
import type { LoadedSettings } from '../settings/load-settings';
import type { temporalConnectionConfig } from '../settings/temporal-connection';
import type { DeploymentClient } from '../clients/deployment-client';
import type { gateDataConverter } from '../settings/open-data-converter';
import type { CliIo } from './io';

/** A client of the namespace, with all that it was made from. */
export interface TemporalClient extends ReturnType<typeof temporalConnectionConfig> {
  loaded: LoadedSettings;
  client: Client;
  connection: Connection;
  /** undefined where nothing is encrypted */
  dataConverter: Awaited<ReturnType<typeof gateDataConverter>>;
}

export interface Connected {
  deployments: DeploymentClient;
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;

/** A client of the Temporal server that the settings, Temporal's own variables or a running `gate dev` name. */
export async function connectTemporal(
  io: CliIo,
  settingsPath: string | undefined,
  deadlineMs = DEADLINE_MS,
): Promise<TemporalClient> {
  const [{ Client, Connection }, { openLoadedSettings }, { temporalConnectionConfig }, { gateDataConverter }] =
    await Promise.all([
      import('@temporalio/client'),
      import('./open-settings.js'),
      import('../settings/temporal-connection.js'),
      import('../settings/open-data-converter.js'),
    ]);
  const loaded = await openLoadedSettings(io, settingsPath);
  const dataConverter = await gateDataConverter(loaded, io.env);
  const config = temporalConnectionConfig(loaded.settings, io.env);
  const connection = await Connection.connect({ ...config.connectionOptions, connectTimeout: deadlineMs });
  const { namespace } = config;
  const client = new Client({ connection, namespace, ...(dataConverter === undefined ? {} : { dataConverter }) });
  return { ...config, loaded, client, connection, dataConverter };
}

/** As `connectTemporal`, for commands about deployments. */
export async function connect(
  io: CliIo,
  settingsPath: string | undefined,
  deadlineMs = DEADLINE_MS,
): Promise<Connected> {
  const [{ DeploymentClient }, { parseDuration }, temporal] = await Promise.all([
    import('../clients/deployment-client.js'),
    import('../kernel/duration.js'),
    connectTemporal(io, settingsPath, deadlineMs),
  ]);
  const { client, connection, dataConverter, loaded } = temporal;
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
  const deployments = new DeploymentClient({
    client,
    taskQueue,
    workflowTaskTimeoutMs: parseDuration(workflowTaskTimeout),
    deadlineMs,
    // Masks are refused without keys, and so only where there are keys a value may be masked.
    hidesValues: dataConverter !== undefined,
  });
  return { deployments, close: () => connection.close() };
}

/** What a person can do about an error of the connection; undefined for any other error. */
export function explainConnectionError(error: unknown): string | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    const unreachable = code === 14 || code === 4 || /Failed to connect before the deadline/.test(cause.message);
    if (unreachable) {
      return `Temporal did not answer (${cause.message}). Is it running? \`gate dev\` starts one; TEMPORAL_ADDRESS names another; \`gate doctor\` shows what was found`;
    }
  }
  return undefined;
}
