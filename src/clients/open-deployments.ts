import { parseDuration } from '../kernel/duration';
import type { LoadedSettings } from '../settings/load-settings';
import { encrypts } from '../settings/open-data-converter';
import { DeploymentClient } from './deployment-client';
import { CONNECT_TIMEOUT_MS, openTemporal } from './open-temporal';

/** A client of deployments with the connection that it was opened with. */
export interface OpenedDeployments {
  deployments: DeploymentClient;
  close(): Promise<void>;
}

/**
 * A client of deployments on the server, the namespace and the task queue that the settings name.
 *
 * @param deadlineMs how long the server may take to answer, and then a query or an operator's call
 * @throws GateError ConfigInvalid as `openTemporal`; errors of the connection
 */
export async function openDeployments(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  deadlineMs = CONNECT_TIMEOUT_MS,
): Promise<OpenedDeployments> {
  const { client, connection, dataConverter } = await openTemporal(loaded, env, deadlineMs);
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
  const deployments = new DeploymentClient({
    client,
    taskQueue,
    workflowTaskTimeoutMs: parseDuration(workflowTaskTimeout),
    deadlineMs,
    // Masks are refused without keys, and so only where there are keys a value may be masked.
    hidesValues: encrypts(dataConverter),
  });
  return { deployments, close: () => connection.close() };
}
