import type { Connection } from '@temporalio/client';
import * as temporalWorker from '@temporalio/worker';
import { builtWorkflows } from '../built-workflows';
import { quietRuntime } from '../platform/temporal/quiet-runtime';
import type { LoadedSettings } from '../settings/load-settings';
import { encrypts } from '../settings/open-data-converter';
import type { FleetClient } from './ask-fleet';
import { openTemporal } from './open-temporal';

/** What asks the workers, and the server about them. */
export interface OpenedFleet extends FleetClient {
  /** that of `client`, for questions to the server itself */
  serverConnection: Connection;
  /** of the workflows of this package */
  buildId: string;
}

/**
 * Connects to the settings' Temporal server as a client and as a worker, and closes both after `act`, also when it fails.
 *
 * @throws GateError ConfigInvalid as `openTemporal`; errors of the connection and of `act`
 */
export async function withFleet<T>(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  act: (fleet: OpenedFleet) => Promise<T>,
  connectTimeoutMs?: number,
): Promise<T> {
  const { client, connection, connectionOptions, namespace, dataConverter } = await openTemporal(
    loaded,
    env,
    connectTimeoutMs,
  );
  try {
    const { bundle, buildId } = await builtWorkflows(encrypts(dataConverter));
    quietRuntime(temporalWorker);
    const native = await temporalWorker.NativeConnection.connect(connectionOptions);
    try {
      return await act({
        client,
        serverConnection: connection,
        connection: native,
        namespace,
        workflowBundle: bundle,
        buildId,
        dataConverter,
      });
    } finally {
      await native.close();
    }
  } finally {
    await connection.close();
  }
}
