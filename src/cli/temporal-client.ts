import type { DeploymentClient } from '../deployments/client/deployment-client';
import type { CliIo } from './io';

export interface Connected {
  deployments: DeploymentClient;
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;

/** A client of the Temporal server that the settings, Temporal's own variables or a running `gate dev` name. */
export async function connect(
  io: CliIo,
  settingsPath: string | undefined,
  deadlineMs = DEADLINE_MS,
): Promise<Connected> {
  const [
    { Client, Connection },
    { DeploymentClient },
    { openLoadedSettings },
    { temporalConnectionConfig },
    { parseDuration },
    { gateDataConverter },
  ] = await Promise.all([
    import('@temporalio/client'),
    import('../deployments/client/deployment-client.js'),
    import('./open-settings.js'),
    import('../config/loaders/temporal-connection.js'),
    import('../config/duration.js'),
    import('../open-data-converter.js'),
  ]);
  const loaded = await openLoadedSettings(io, settingsPath);
  const { settings } = loaded;
  const dataConverter = await gateDataConverter(loaded, io.env);
  const { connectionOptions, namespace } = temporalConnectionConfig(settings, io.env);
  const connection = await Connection.connect({ ...connectionOptions, connectTimeout: deadlineMs });
  const client = new Client({ connection, namespace, ...(dataConverter === undefined ? {} : { dataConverter }) });
  const deployments = new DeploymentClient({
    client,
    taskQueue: settings.temporal.taskQueue,
    workflowTaskTimeoutMs: parseDuration(settings.temporal.workflowTaskTimeout),
    deadlineMs,
    // Masks are refused without keys, and so only where there are keys a value may be masked.
    hidesValues: dataConverter !== undefined,
  });
  return { deployments, close: () => connection.close() };
}

/** What a person can do about an error of the connection; undefined when it is none. */
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
