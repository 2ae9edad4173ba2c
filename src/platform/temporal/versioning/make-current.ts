import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { messageOf } from '../../../kernel/message-of';
import type { DeploymentVersion } from './worker-build';

const RETRY_MS = 500;

/**
 * Makes `version` the current one of its worker deployment. The server knows a version from its first poll on and refuses
 * one that does not poll every task queue of the version before, so a refusal is tried again until `signal` ends it.
 *
 * @param onRefused told each new reason, once
 * @returns whether the version is current; false when `signal` came first
 */
export async function makeCurrent(options: {
  connection: Pick<Connection, 'workflowService'>;
  namespace: string;
  version: DeploymentVersion;
  /** shown by Temporal as the one who changed the deployment */
  identity: string;
  signal: AbortSignal;
  onRefused(reason: string): void;
}): Promise<boolean> {
  const { connection, namespace, version, identity, signal, onRefused } = options;
  const { name: deploymentName, buildId } = version;
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName,
        buildId,
        identity,
      });
      return true;
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== said && !signal.aborted) onRefused(reason);
      said = reason;
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
