import { setTimeout as sleep } from 'node:timers/promises';
import type { DeploymentStatus } from '../gate/deployments/deployment-state';
import type { DeploymentClient, FoundStatus } from './deployment-client';

const POLL_MS = 500;

/** How long to wait, and who is told meanwhile. */
export interface WaitOptions {
  timeoutMs: number;
  /** ends the waiting; the deployment continues */
  signal: AbortSignal;
  /** of the workflow that is waited for; @default the one that the client finds */
  workflowId?: string;
  /** told of every answer, also of the ones that change nothing */
  onAnswer?(found: FoundStatus): void;
}

/** Why the waiting ended; a `timeout` tells the last status that a worker reported, if any did. */
export type WaitResult =
  | { result: 'settled'; status: DeploymentStatus }
  | { result: 'timeout'; status?: DeploymentStatus }
  | { result: 'stopped' };

/**
 * Waits until a deployment has ended or is paused; a paused one stays paused.
 *
 * @throws errors of the connection
 */
export async function waitForDeployment(
  deployments: Pick<DeploymentClient, 'status'>,
  id: string,
  { timeoutMs, signal, workflowId, onAnswer }: WaitOptions,
): Promise<WaitResult> {
  const deadlineMs = Date.now() + timeoutMs;
  let last: DeploymentStatus | undefined;
  for (;;) {
    const found = await deployments.status(id, workflowId);
    onAnswer?.(found);
    if (found.found === 'status') {
      last = found.status;
      if (found.closed || last.state === 'paused') return { result: 'settled', status: last };
    }
    if (signal.aborted) return { result: 'stopped' };
    const leftMs = deadlineMs - Date.now();
    if (leftMs <= 0) return { result: 'timeout', ...(last ? { status: last } : {}) };
    await sleep(Math.min(POLL_MS, leftMs), undefined, { signal }).catch(() => undefined);
  }
}
