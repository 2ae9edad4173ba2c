import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { ClosedRun } from '../gate/deployments/closed-run';
import { NAME_PATTERN } from '../kernel/names';
import { UNCHANGED } from './recheck';
import type { FindClosedRequest, FoundClosed } from './sweep-activities';

const DAY_MS = 86_400_000;
/** What Temporal lists may be this far behind what happened, and the clocks of its hosts may differ. */
const OVERLAP_MS = 600_000;
const NAME = new RegExp(NAME_PATTERN);

/**
 * Looks once for runs of deployments that were terminated or timed out.
 *
 * @throws ApplicationFailure `Unchanged` when none is new; errors of the connection
 */
export async function findClosed(request: FindClosedRequest): Promise<FoundClosed> {
  const { client, info } = Context.current();
  const beganMs = Date.now();
  const { runs, all } = await listClosed(client, request);
  const sinceMs = all ? Math.max(request.sinceMs, beganMs - OVERLAP_MS) : request.sinceMs;
  if (runs.length > 0 || beganMs - info.scheduledTimestampMs >= DAY_MS) return { runs, sinceMs };
  throw ApplicationFailure.create({
    type: UNCHANGED,
    message: 'no run was terminated or timed out',
    nextRetryDelay: request.everyMs,
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Those that were not seen; `all` is false where there are more. */
async function listClosed(
  client: Client,
  { sinceMs, seen, atMost }: FindClosedRequest,
): Promise<{ runs: ClosedRun[]; all: boolean }> {
  const query =
    "DeploymentId IS NOT NULL AND ExecutionStatus IN ('Terminated','TimedOut') " +
    `AND CloseTime >= '${new Date(sinceMs).toISOString()}'`;
  const known = new Set(seen.map(({ runId }) => runId));
  const runs: ClosedRun[] = [];
  for await (const execution of client.workflow.list({ query })) {
    if (known.has(execution.runId)) continue;
    if (runs.length >= atMost) return { runs, all: false };
    const run = toClosedRun(execution);
    if (run) runs.push(run);
  }
  return { runs, all: true };
}

/** Undefined for a workflow of other people whose attribute names no deployment. */
function toClosedRun(execution: WorkflowExecutionInfo): ClosedRun | undefined {
  const attribute = (name: string): string | undefined => {
    const value: unknown = execution.searchAttributes[name]?.[0];
    return typeof value === 'string' ? value : undefined;
  };
  const deploymentId = attribute('DeploymentId');
  if (deploymentId === undefined || !NAME.test(deploymentId)) return undefined;
  const { workflowId, runId, taskQueue, closeTime, status } = execution;
  const stage = attribute('DeploymentStage');
  return {
    deploymentId,
    workflowId,
    runId,
    taskQueue,
    end: status.name === 'TERMINATED' ? 'terminated' : 'timed-out',
    closedAtMs: closeTime?.getTime() ?? Date.now(),
    ...(stage === undefined ? {} : { stage }),
  };
}
