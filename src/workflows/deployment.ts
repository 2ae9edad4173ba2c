import { ActivityFailure, ApplicationFailure, continueAsNew, isCancellation } from '@temporalio/workflow';
import type { ActionContext } from '../gate/actions/action';
import type { DeploymentSpec, StageSpec } from '../gate/deployments/deployment-spec';
import { CARRIED_VERSION, type CarriedGate, type DeploymentStatus } from '../gate/deployments/deployment-state';
import { FailureType } from '../kernel/failures';
import type { JsonObject } from '../kernel/json';
import { Gate } from './gate/gate';
import { readableCarried } from './parts/readable-carried';
import { runStageAction } from './gate/stage-action';

export interface DeploymentInput {
  spec: DeploymentSpec;
  carried?: CarriedGate;
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
}

/**
 * One deployment: each stage waits at the gate, then acts. Returns the final status when every stage is done.
 *
 * @throws ApplicationFailure DeploymentDenied, DeploymentAborted, PauseTimedOut or ActionFailed
 * @throws Error for carried state of a newer release, which fails the workflow task only
 */
export async function deployment(input: DeploymentInput): Promise<DeploymentStatus> {
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
    continueAsNew: (state) => continueAsNew<typeof deployment>({ ...input, carried: state }),
  });
  try {
    for (const [index, stage] of spec.stages.entries()) {
      if (index < (carried?.stageIndex ?? 0)) continue;
      // An abort that was accepted since the last stage passed ends the deployment there: the next one never began.
      await gate.stage?.stopIfTold();
      await runStage(gate, spec, stage, index);
    }
  } catch (error) {
    if (isCancellation(error)) await gate.endCancelled(spec.stages[0]);
    if (error instanceof ApplicationFailure && error.type === FailureType.ActionFailed) {
      await endFailed(gate, error.message);
      // With what every stage did: it is all that is known of a workflow that failed.
      const { type, message } = error;
      throw ApplicationFailure.create({ type, message, nonRetryable: true, details: [gate.shownStatus()] });
    }
    if (error instanceof ActivityFailure && !isCancellation(error))
      await endFailed(gate, error.cause?.message ?? error.message);
    throw error;
  }
  await gate.end('done');
  await gate.settle();
  return gate.shownStatus();
}

async function runStage(gate: Gate, spec: DeploymentSpec, stage: StageSpec, stageIndex: number): Promise<void> {
  for (;;) {
    const atGate = await gate.begin(stage);
    // An action that was under way when the run before continued as new needs no other decision.
    const { interrupted } = gate.progress;
    const pass = interrupted?.pass ?? (await atGate.awaitPass());
    const { action } = stage;
    const context: ActionContext = {
      deployment_id: spec.id,
      stage: stage.name,
      stage_index: stageIndex,
      attributes: (spec.attributes ?? {}) as JsonObject,
      stage_attributes: (stage.attributes ?? {}) as JsonObject,
      decision_id: pass.decisionId,
    };
    const isDone =
      action === undefined ||
      action.type === 'none' ||
      (await runStageAction(atGate, action, context, pass, interrupted)) === 'done';
    if (isDone) return atGate.passed();
  }
}

async function endFailed(gate: Gate, reason: string): Promise<void> {
  await gate.end('failed', reason);
  await gate.settle();
}
