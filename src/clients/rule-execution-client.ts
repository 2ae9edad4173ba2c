import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { parseDuration } from '../kernel/duration';
import { EXECUTION_WORKFLOW, executionIdOf, executionWorkflowIdOf } from '../kernel/names';
import type { OperatorCall } from '../kernel/operator-call';
import type { ExecutionStatus } from '../rules/execution/execution';
import type { LoadedSettings } from '../settings/load-settings';
import type { RuleExecutionInput } from '../workflows/rule-execution';
import type { ExecutionCall, ExecutionReply } from '../workflows/rules/execution-words';
import { isUnanswered } from './is-unanswered';
import { openTemporal } from './open-temporal';

/** Temporal knows the execution, but no worker answered in time: `unanswered`. */
export type FoundExecution =
  { found: 'status'; status: ExecutionStatus } | { found: 'unanswered' } | { found: 'unknown' };

/** One execution as a list shows it. */
export interface ListedExecution {
  id: string;
  /** how it ended: done, planned (a dry run), rolled_back, …; else that of Temporal: running, cancelled, terminated, … */
  status: string;
  /** RFC 3339 */
  startedAt: string;
  /** RFC 3339; absent while it runs */
  closedAt?: string;
}

export type ExecutionCallResult = { accepted: boolean; message: string };

export interface RuleExecutionClientOptions {
  /** of the namespace; encrypts where the workers do */
  client: Client;
  /** that of the workers */
  taskQueue: string;
  workflowTaskTimeoutMs?: number;
  /** how long a query or a call may take */
  deadlineMs: number;
}

/** Of results, of which a list needs one for each execution. */
const READ_AT_ONCE = 8;

/** Starts and steers executions of rule policies. */
export class RuleExecutionClient {
  constructor(private readonly options: RuleExecutionClientOptions) {}

  /** Starts the execution, or finds the one that was started under its id. */
  async start(id: string, input: Omit<RuleExecutionInput, 'id' | 'carried'>): Promise<{ started: boolean }> {
    const { client, taskQueue, workflowTaskTimeoutMs } = this.options;
    try {
      await client.workflow.start(EXECUTION_WORKFLOW, {
        workflowId: executionWorkflowIdOf(id),
        taskQueue,
        args: [{ ...input, id } satisfies RuleExecutionInput],
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
        ...(workflowTaskTimeoutMs === undefined ? {} : { workflowTaskTimeout: workflowTaskTimeoutMs }),
      });
      return { started: true };
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return { started: false };
      throw error;
    }
  }

  async status(id: string): Promise<FoundExecution> {
    const { client, deadlineMs } = this.options;
    try {
      const query = () => this.handleOf(id).query<ExecutionStatus>('status');
      return { found: 'status', status: await client.withDeadline(Date.now() + deadlineMs, query) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { found: 'unknown' };
      if (isUnanswered(error)) return { found: 'unanswered' };
      throw error;
    }
  }

  /**
   * @throws errors of the connection; an answer that does not come in time is one
   */
  async call(id: string, kind: ExecutionCall, call: OperatorCall): Promise<ExecutionCallResult> {
    const { client, deadlineMs } = this.options;
    try {
      const update = () => this.handleOf(id).executeUpdate<ExecutionReply, [OperatorCall]>(kind, { args: [call] });
      return await client.withDeadline(Date.now() + deadlineMs, update);
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (cause instanceof ApplicationFailure) return { accepted: false, message: cause.message };
      if (error instanceof WorkflowNotFoundError) {
        return { accepted: false, message: `execution ${id} is unknown, or has ended` };
      }
      throw error;
    }
  }

  /** The newest first; the list may lag behind by seconds. */
  async list(limit: number): Promise<ListedExecution[]> {
    const listed = new Map<string, ListedExecution & { runId: string }>();
    const query = `WorkflowType = '${EXECUTION_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'`;
    for await (const found of this.options.client.workflow.list({ query })) {
      const { workflowId, runId, status, startTime, closeTime } = found;
      const id = executionIdOf(workflowId);
      if (listed.has(id)) continue;
      if (listed.size >= limit) break;
      listed.set(id, {
        ...{ id, runId },
        status: status.name.toLowerCase(),
        startedAt: startTime.toISOString(),
        ...(closeTime === undefined ? {} : { closedAt: closeTime.toISOString() }),
      });
    }
    const executions = [...listed.values()].sort((one, other) => (one.startedAt < other.startedAt ? 1 : -1));
    const left = [...executions.entries()];
    const shown: ListedExecution[] = [];
    const readOn = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [at, { runId, ...one }] = next;
        shown[at] = one.status === 'completed' ? { ...one, status: await this.endOf(one.id, runId) } : one;
      }
    };
    await Promise.all(Array.from({ length: READ_AT_ONCE }, readOn));
    return shown;
  }

  /** What a run that has completed came to; `completed` where its result cannot be read. */
  private async endOf(id: string, runId: string): Promise<string> {
    const { client, deadlineMs } = this.options;
    try {
      const result = () => this.handleOf(id, runId).result() as Promise<ExecutionStatus>;
      return (await client.withDeadline(Date.now() + deadlineMs, result)).state;
    } catch {
      return 'completed';
    }
  }

  /** What a schedule started is found by its workflow id. */
  private handleOf(id: string, runId?: string) {
    return this.options.client.workflow.getHandle(id.includes('/') ? id : executionWorkflowIdOf(id), runId);
  }
}

/** A client of executions with the connection that it was opened with. */
export interface OpenedExecutions {
  executions: RuleExecutionClient;
  close(): Promise<void>;
}

/**
 * @param deadlineMs how long the server may take to answer, and then a query or a call
 * @throws GateError ConfigInvalid as `openTemporal`; errors of the connection
 */
export async function openExecutions(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  deadlineMs: number,
): Promise<OpenedExecutions> {
  const { client, connection } = await openTemporal(loaded, env, deadlineMs);
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
  const workflowTaskTimeoutMs = parseDuration(workflowTaskTimeout);
  const executions = new RuleExecutionClient({ client, taskQueue, workflowTaskTimeoutMs, deadlineMs });
  return { executions, close: () => connection.close() };
}
