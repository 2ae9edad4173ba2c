import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { ActionContext } from '../../gate/actions/action';
import type { DeploymentSpec, StageSpec } from '../../gate/deployments/deployment-spec';
import type { DeploymentStatus } from '../../gate/deployments/deployment-state';
import type { GatePass } from '../../gate/deployments/gate-pass';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { Gate } from './gate';
import { runStageAction, type StageOptions } from './stage-action';

export type { StageOptions };

/**
 * Takes each stage of a deployment through the gate and carries out its action. Returns the final status when every stage is
 * done.
 *
 * @param from the first stage, where a run before did the others
 * @throws ApplicationFailure DeploymentDenied, DeploymentAborted, PauseTimedOut or ActionFailed
 */
export async function runStages(gate: Gate, spec: DeploymentSpec, from: number): Promise<DeploymentStatus> {
  try {
    for (const [index, stage] of spec.stages.entries()) {
      if (index < from) continue;
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

/** Takes one stage through the gate and carries out its action. @returns what let it pass @throws as `runStages` */
export async function runStage(
  gate: Gate,
  spec: DeploymentSpec,
  stage: StageSpec,
  stageIndex: number,
  options: StageOptions = {},
): Promise<GatePass> {
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
      (await runStageAction(atGate, action, context, pass, { interrupted, ...options })) === 'done';
    if (!isDone) continue;
    atGate.passed();
    return pass;
  }
}

async function endFailed(gate: Gate, reason: string): Promise<void> {
  await gate.end('failed', reason);
  await gate.settle();
}
