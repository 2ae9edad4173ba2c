import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { parseDuration } from '../kernel/duration';
import { GateError } from '../kernel/failures';
import { workflowIdOf } from '../kernel/names';
import { validateDeployment } from '../gate/deployments/files/load-deployment';
import { describeIfKnown } from '../platform/temporal/connection/describe-if-known';
import {
  ASKED_SIGNAL,
  deploymentIdOf,
  LOOK_SIGNAL,
  type ExecutionRef,
  type PlanRun,
  type PlanRuntime,
  type RunSoFar,
} from '../plans/execution/plan-run';
import { carriedEnd } from '../plans/execution/run-size';
import { NodePhase } from '../plans/kinds/phases';
import type { LoadedSettings } from '../settings/load-settings';
import type { CarriedExecution, PlanExecutionInput } from '../workflows/plan-execution';
import type { CarriedNode } from '../workflows/plans/run-nodes';
import { DEPLOYMENT_ID } from '../workflows/search-attributes';
import { openTemporal, type OpenedTemporal } from './open-temporal';

export const PLAN_EXECUTION_WORKFLOW = 'planExecutionWorkflow';

export interface OpenedPlanRuns {
  runtime: PlanRuntime;
  /** closes the connection, if there is one */
  close(): Promise<void>;
}

/** Executions of plans as workflows. The connection is opened by the first of them, so that a server starts without Temporal. */
export function openPlanRuns(
  loaded: LoadedSettings,
  env: NodeJS.ProcessEnv,
  withinMs: number,
  callbackUrl: PlanRuntime['callbackUrl'] = () => loaded.settings.plans.callbackUrl,
): OpenedPlanRuns {
  let opening: Promise<OpenedTemporal> | undefined;
  const opened = (): Promise<OpenedTemporal> => {
    const current = (opening ??= openTemporal(loaded, env, withinMs));
    current.catch(() => (opening = undefined));
    return current;
  };
  const { taskQueue, workflowTaskTimeout } = loaded.settings.temporal;

  function startRun(
    client: OpenedTemporal['client'],
    run: PlanRun,
    execution: ExecutionRef,
    { from }: { from?: RunSoFar },
  ): Promise<unknown> {
    const { graph, ...spec } = run;
    const input: PlanExecutionInput = { spec: validateDeployment(spec), graph, execution };
    const { ALLOW_DUPLICATE, REJECT_DUPLICATE } = WorkflowIdReusePolicy;
    return client.workflow.start(PLAN_EXECUTION_WORKFLOW, {
      workflowId: workflowIdOf(run.id),
      taskQueue,
      args: [from === undefined ? input : { ...input, carried: carriedOf(from, graph) }],
      memo: { executionUid: execution.uid, ...(from === undefined ? {} : { request: from.request }) },
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      workflowIdReusePolicy: from === undefined ? REJECT_DUPLICATE : ALLOW_DUPLICATE,
      typedSearchAttributes: new TypedSearchAttributes([{ key: DEPLOYMENT_ID, value: run.id }]),
      staticSummary: `Execution ${execution.namespace}/${execution.name} of a plan`,
      workflowTaskTimeout: parseDuration(workflowTaskTimeout),
    });
  }

  async function signal(execution: ExecutionRef, name: string): Promise<void> {
    const { client } = await opened();
    await client.withDeadline(Date.now() + withinMs, () =>
      client.workflow
        .getHandle(workflowIdOf(deploymentIdOf(execution)))
        .signal(name)
        .catch((error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        }),
    );
  }

  return {
    runtime: {
      callbackUrl,
      check: stageFaults,
      async start(run, execution) {
        const { client } = await opened();
        const start = () => startRun(client, run, execution, {});
        return await client.withDeadline(Date.now() + withinMs, async () => {
          await start().catch((error: unknown) => {
            if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          });
          const found = await describeIfKnown(client, workflowIdOf(run.id));
          return found?.memo?.executionUid === execution.uid ? 'started' : 'taken';
        });
      },
      async resume(run, execution, from) {
        const { client } = await opened();
        const isStarted = async (): Promise<boolean> => {
          const { memo } = (await describeIfKnown(client, workflowIdOf(run.id))) ?? {};
          return memo?.executionUid === execution.uid && memo.request === from.request;
        };
        return await client.withDeadline(Date.now() + withinMs, async () => {
          if (await isStarted()) return 'started';
          await startRun(client, run, execution, { from });
          // The run before may still be open: it tells its end before its messages are sent.
          return (await isStarted()) ? 'started' : 'closing';
        });
      },
      async whyClosed(execution) {
        const { client } = await opened();
        const workflowId = workflowIdOf(deploymentIdOf(execution));
        const found = await client.withDeadline(Date.now() + withinMs, () => describeIfKnown(client, workflowId));
        if (found?.memo?.executionUid !== execution.uid || found.status.name === 'RUNNING') return undefined;
        return `its workflow was closed in Temporal (${found.status.name.toLowerCase().replaceAll('_', ' ')})`;
      },
      nudge: async (execution) => signal(execution, LOOK_SIGNAL),
      ask: async (execution) => signal(execution, ASKED_SIGNAL),
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

/** What was told of a node goes on as how it ended. */
function carriedOf({ nodes, ...from }: RunSoFar, graph: PlanRun['graph']): CarriedExecution {
  const kinds = new Map(graph.nodes.map(({ id, kind }) => [id, kind]));
  const carried = Object.entries(nodes).map(
    ([id, { phase, attempt, place, outputs, message }]): [string, CarriedNode] => {
      const before = phase === NodePhase.Pending && attempt !== undefined ? attempt - 1 : undefined;
      const end = {
        ...(outputs === undefined ? {} : { outputs }),
        ...(message === undefined ? {} : { message }),
      };
      return [
        id,
        {
          phase,
          ...(attempt === undefined ? {} : { attempt }),
          ...(before === undefined ? {} : { before }),
          ...(place === undefined ? {} : { place }),
          ...(Object.keys(end).length === 0 ? {} : { end: carriedEnd(end, kinds.get(id) ?? 'Task', kinds.size) }),
        },
      ];
    },
  );
  return { ...from, nodes: Object.fromEntries(carried) };
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
