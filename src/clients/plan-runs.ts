import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { parseDuration } from '../kernel/duration';
import { GateError } from '../kernel/failures';
import { workflowIdOf } from '../kernel/names';
import { validateDeployment } from '../gate/deployments/files/load-deployment';
import { describeIfKnown } from '../platform/temporal/connection/describe-if-known';
import { deploymentIdOf, type PlanRun, type PlanRuntime } from '../plans/execution/plan-run';
import type { LoadedSettings } from '../settings/load-settings';
import type { PlanExecutionInput } from '../workflows/plan-execution';
import { DEPLOYMENT_ID } from '../workflows/search-attributes';
import { openTemporal, type OpenedTemporal } from './open-temporal';

export const PLAN_EXECUTION_WORKFLOW = 'planExecutionWorkflow';

/** Has every node that waits for something in the store look at it. */
const LOOK_SIGNAL = 'look';

export interface OpenedPlanRuns {
  runtime: PlanRuntime;
  /** closes the connection, if there is one */
  close(): Promise<void>;
}

/** Executions of plans as workflows. The connection is opened by the first of them, so that a server starts without Temporal. */
export function openPlanRuns(loaded: LoadedSettings, env: NodeJS.ProcessEnv, withinMs: number): OpenedPlanRuns {
  let opening: Promise<OpenedTemporal> | undefined;
  const opened = (): Promise<OpenedTemporal> => {
    const current = (opening ??= openTemporal(loaded, env, withinMs));
    current.catch(() => (opening = undefined));
    return current;
  };
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;
  return {
    runtime: {
      check: stageFaults,
      async start(run, execution) {
        const { client } = await opened();
        const workflowId = workflowIdOf(run.id);
        const { graph, ...spec } = run;
        const input: PlanExecutionInput = { spec: validateDeployment(spec), graph, execution };
        const start = () =>
          client.workflow.start(PLAN_EXECUTION_WORKFLOW, {
            workflowId,
            taskQueue,
            args: [input],
            memo: { executionUid: execution.uid },
            workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
            workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
            typedSearchAttributes: new TypedSearchAttributes([{ key: DEPLOYMENT_ID, value: run.id }]),
            staticSummary: `Execution ${execution.namespace}/${execution.name} of a plan`,
            workflowTaskTimeout: parseDuration(workflowTaskTimeout),
          });
        return await client.withDeadline(Date.now() + withinMs, async () => {
          await start().catch((error: unknown) => {
            if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          });
          const found = await describeIfKnown(client, workflowId);
          return found?.memo?.executionUid === execution.uid ? 'started' : 'taken';
        });
      },
      async whyClosed(execution) {
        const { client } = await opened();
        const workflowId = workflowIdOf(deploymentIdOf(execution));
        const found = await client.withDeadline(Date.now() + withinMs, () => describeIfKnown(client, workflowId));
        if (found?.memo?.executionUid !== execution.uid || found.status.name === 'RUNNING') return undefined;
        return `its workflow was closed in Temporal (${found.status.name.toLowerCase().replaceAll('_', ' ')})`;
      },
      async nudge(execution) {
        const { client } = await opened();
        const workflowId = workflowIdOf(deploymentIdOf(execution));
        await client.withDeadline(Date.now() + withinMs, () =>
          client.workflow
            .getHandle(workflowId)
            .signal(LOOK_SIGNAL)
            .catch((error: unknown) => {
              if (!(error instanceof WorkflowNotFoundError)) throw error;
            }),
        );
      },
      async cancel(execution) {
        const { client } = await opened();
        const workflowId = workflowIdOf(deploymentIdOf(execution));
        await client.withDeadline(Date.now() + withinMs, async () => {
          const found = await describeIfKnown(client, workflowId);
          if (found?.memo?.executionUid !== execution.uid) return;
          await client.workflow
            .getHandle(workflowId)
            .cancel()
            .catch((error: unknown) => {
              if (!(error instanceof WorkflowNotFoundError)) throw error;
            });
        });
      },
    },
    async close() {
      const temporal = await opening?.catch(() => undefined);
      await temporal?.connection.close();
    },
  };
}

function stageFaults(run: PlanRun): string[] {
  const { graph: _graph, ...spec } = run;
  try {
    validateDeployment(spec, 'its stages');
    return [];
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const said = error.faults.length > 0 ? error.faults.map(({ message }) => message) : [error.message];
    return said.map((message) => named(message, run));
  }
}

/** A user knows nodes, not places in a list. */
function named(message: string, { stages }: PlanRun): string {
  return message.replace(/\bstages\[(\d+)\]/g, (all, index: string) => {
    const stage = stages[Number(index)];
    return stage === undefined ? all : `node ${stage.name}`;
  });
}
