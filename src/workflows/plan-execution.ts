import { ApplicationFailure, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { PlanActivities } from '../activities/plan-activities';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import { CARRIED_VERSION, type CarriedGate, type DeploymentStatus } from '../gate/deployments/deployment-state';
import { FailureType } from '../kernel/failures';
import type { JsonObject } from '../kernel/json';
import type { RunReport } from '../plans/execution/follow-run';
import type { ExecutionRef } from '../plans/execution/plan-run';
import { ExecutionPhase, NodePhase } from '../plans/kinds/phases';
import { Gate } from './gate/gate';
import { runStages, type StageHooks } from './gate/run-stages';
import { readableCarried } from './parts/readable-carried';

export interface PlanExecutionInput {
  /** the plan as it was pinned: a stage a node */
  spec: DeploymentSpec;
  execution: ExecutionRef;
  carried?: CarriedGate;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
}

/** Never gives up: the server keeps asking, and the history does not grow. */
const { reportPlanRun } = proxyActivities<PlanActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '30s' },
});

/**
 * One execution of a plan: a deployment whose stages are the plan's nodes, and whose progress is in the status of its Execution.
 * The gate's commands find it as the deployment `<namespace>.<execution>`.
 *
 * @throws as `deployment`
 */
export async function planExecutionWorkflow(input: PlanExecutionInput): Promise<DeploymentStatus> {
  const { spec, historyLimit } = input;
  const carried = readableCarried(input.carried, CARRIED_VERSION);
  const gate = new Gate({
    deploymentId: spec.id,
    attributes: spec.attributes as JsonObject | undefined,
    stages: spec.stages.map((stage) => stage.name),
    carried,
    ownsMessages: true,
    leavesAlerts: true,
    historyLimit,
    continueAsNew: (state) => continueAsNew<typeof planExecutionWorkflow>({ ...input, carried: state }),
  });
  return await runStages(gate, spec, carried?.stageIndex ?? 0, reportsOf(input.execution, gate));
}

const PHASES: Partial<Record<DeploymentStatus['state'], ExecutionPhase>> = {
  done: ExecutionPhase.Succeeded,
  aborted: ExecutionPhase.Cancelled,
};

function reportsOf(execution: ExecutionRef, gate: Gate): StageHooks {
  const report = async (told: Omit<RunReport, 'atMs' | 'runId'>): Promise<boolean> => {
    const { firstExecutionRunId: runId } = workflowInfo();
    const { exists } = await reportPlanRun(execution, { atMs: Date.now(), runId, ...told });
    return exists;
  };
  return {
    begins: async (id) => {
      const exists = await report({ phase: ExecutionPhase.Running, node: { id, phase: NodePhase.Running } });
      if (exists) return;
      // Nobody could see any more what it does.
      await gate.end('aborted', 'its Execution was deleted');
      await gate.settle();
      const details = [gate.shownStatus()];
      const message = 'the Execution was deleted';
      throw ApplicationFailure.create({ type: FailureType.DeploymentAborted, message, nonRetryable: true, details });
    },
    passed: async (id) => void (await report({ node: { id, phase: NodePhase.Succeeded } })),
    ended: async ({ state, stage, endReason }) => {
      const phase = PHASES[state] ?? ExecutionPhase.Failed;
      if (phase === ExecutionPhase.Succeeded) return void (await report({ phase }));
      const nodePhase = phase === ExecutionPhase.Cancelled ? NodePhase.Cancelled : NodePhase.Failed;
      const message = endReason ?? state;
      await report({ phase, message, node: { id: stage, phase: nodePhase, message } });
    },
  };
}
