import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { DeploymentStatus, GateState } from '../gate/deployments/deployment-state';
import { shownState } from '../gate/deployments/shown-state';
import { workflowIdOf } from '../kernel/names';
import { statusQuery } from '../workflows/messages';

/** One deployment as `gate list` shows it, from Temporal's search attributes; it may lag behind by seconds. */
export interface ListedDeployment {
  deploymentId: string;
  workflowId: string;
  /** one of the states of `gate status` */
  state: GateState;
  /** the present stage */
  stage?: string;
  /** of the newest decision: allow, deny or error; `override` where an operator overrode it */
  outcome?: string;
  /** failure type; absent when it is not paused */
  pauseReason?: string;
  /** RFC 3339: of its first run */
  startedAt: string;
}

/** Which deployments are listed, and how many at most. */
export interface ListFilter {
  pausedOnly?: boolean;
  runningOnly?: boolean;
  limit: number;
}

const SIDE_BY_SIDE = 10;
/** How long workers are waited for, all deployments together. */
const ANSWERS_WITHIN_MS = 3_000;
/** Workflow ids that one query names. */
const IDS_IN_QUERY = 50;

/**
 * The deployments of a namespace, one row a workflow however often it continued as new: open ones first, then the ones that
 * closed last.
 *
 * @throws errors of the connection
 */
export async function listDeployments(client: Client, filter: ListFilter): Promise<ListedDeployment[]> {
  const conditions = ["DeploymentId IS NOT NULL AND ExecutionStatus != 'ContinuedAsNew'"];
  if (filter.pausedOnly) conditions.push('PauseReason IS NOT NULL');
  if (filter.runningOnly || filter.pausedOnly) conditions.push("ExecutionStatus = 'Running'");
  const found = new Map<string, WorkflowExecutionInfo>();
  for await (const execution of client.workflow.list({ query: conditions.join(' AND ') })) {
    // Of one that was reset or started again, the run before is no deployment of its own.
    if (found.has(execution.workflowId)) continue;
    if (found.size >= filter.limit) break;
    found.set(execution.workflowId, execution);
  }
  const starts = await firstStarts(client, [...found.keys()]);
  const answersByMs = Date.now() + ANSWERS_WITHIN_MS;
  return await sideBySide([...found.values()], async (execution) => {
    const { workflowId } = execution;
    const stage = attributeOf(execution, 'DeploymentStage');
    const outcome = attributeOf(execution, 'DecisionOutcome');
    const isOpen = execution.status.name === 'RUNNING';
    const pauseReason = isOpen ? attributeOf(execution, 'PauseReason') : undefined;
    return {
      deploymentId: attributeOf(execution, 'DeploymentId') ?? workflowId,
      workflowId,
      state: await stateOf(client, execution, answersByMs),
      ...(stage === undefined ? {} : { stage }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(pauseReason === undefined ? {} : { pauseReason }),
      startedAt: (starts.get(workflowId) ?? execution.startTime).toISOString(),
    };
  });
}

/** A deployment that runs, and the workflow that operates it. */
export type RunningDeployment = Pick<ListedDeployment, 'deploymentId' | 'workflowId'>;

/**
 * All deployments of a namespace that run, without asking their workers. It may lag behind by seconds.
 *
 * @throws errors of the connection
 */
export async function listRunning(client: Client): Promise<RunningDeployment[]> {
  const found = new Map<string, RunningDeployment>();
  const query = "DeploymentId IS NOT NULL AND ExecutionStatus = 'Running'";
  for await (const execution of client.workflow.list({ query })) {
    const { workflowId } = execution;
    found.set(workflowId, { deploymentId: attributeOf(execution, 'DeploymentId') ?? workflowId, workflowId });
  }
  return [...found.values()];
}

async function stateOf(client: Client, execution: WorkflowExecutionInfo, answersByMs: number): Promise<GateState> {
  const { workflowId, runId, status } = execution;
  const pauseReason = attributeOf(execution, 'PauseReason');
  const listed = shownState({
    execution: status.name,
    outcome: attributeOf(execution, 'DecisionOutcome'),
    pauseReason,
  });
  if (status.name === 'RUNNING' && pauseReason === undefined) {
    const deploymentId = attributeOf(execution, 'DeploymentId') ?? '';
    const isOwn = workflowId === workflowIdOf(deploymentId);
    const ask = (): Promise<DeploymentStatus> =>
      client.workflow.getHandle(workflowId, runId).query(statusQuery, ...(isOwn ? [] : ([deploymentId] as const)));
    const answer = await client.withDeadline(answersByMs, ask).catch(() => undefined);
    return answer?.state ?? listed;
  }
  if (status.name !== 'FAILED') return listed;
  const failureType = await failureTypeOf(client, { workflowId, runId }).catch(() => undefined);
  return shownState({ execution: status.name, ...(failureType === undefined ? {} : { failureType }) });
}

async function failureTypeOf(client: Client, execution: { workflowId: string; runId: string }) {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  const failure = history?.events?.[0]?.workflowExecutionFailedEventAttributes?.failure;
  return failure?.applicationFailureInfo?.type ?? undefined;
}

/** When each workflow that continued as new was first started. A run that Temporal no longer keeps cannot be told. */
async function firstStarts(client: Client, workflowIds: readonly string[]): Promise<Map<string, Date>> {
  const continued = new Map<string, Date>();
  for (let index = 0; index < workflowIds.length; index += IDS_IN_QUERY) {
    const ids = workflowIds.slice(index, index + IDS_IN_QUERY).map((id) => `'${id.replaceAll("'", "''")}'`);
    const query = `ExecutionStatus = 'ContinuedAsNew' AND WorkflowId IN (${ids.join(', ')})`;
    for await (const { workflowId, startTime } of client.workflow.list({ query })) {
      const known = continued.get(workflowId);
      if (known === undefined || startTime < known) continued.set(workflowId, startTime);
    }
  }
  const starts = await sideBySide([...continued], async ([workflowId, oldest]): Promise<[string, Date]> => {
    const first = await firstRunStart(client, workflowId).catch(() => undefined);
    return [workflowId, first ?? oldest];
  });
  return new Map(starts);
}

/** Of the present chain of runs: the workflow id may have been used before. */
async function firstRunStart(client: Client, workflowId: string): Promise<Date | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const firstRunId = raw.workflowExecutionInfo?.firstRunId;
  if (!firstRunId) return undefined;
  return (await client.workflow.getHandle(workflowId, firstRunId).describe()).startTime;
}

function attributeOf(execution: WorkflowExecutionInfo, name: string): string | undefined {
  const value: unknown = execution.searchAttributes[name]?.[0];
  return typeof value === 'string' ? value : undefined;
}

/** In the order of `items`, a few at a time. */
async function sideBySide<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let index = 0; index < items.length; index += SIDE_BY_SIDE) {
    results.push(...(await Promise.all(items.slice(index, index + SIDE_BY_SIDE).map(work))));
  }
  return results;
}
