import { ActivityFailure, ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { ActionContext } from '../../gate/actions/action';
import type { DeploymentSpec, StageSpec } from '../../gate/deployments/deployment-spec';
import { isFinal, type DeploymentStatus } from '../../gate/deployments/deployment-state';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { Gate } from './gate';
import { runStageAction } from './stage-action';

/** What else is to be done while the stages of a deployment run. */
export interface StageHooks {
  /** before the stage waits at the gate; again for the stage at which a run continued as new */
  begins(stage: string): Promise<void>;
  passed(stage: string): Promise<void>;
  /** before the workflow closes, also after a cancellation; not when it continues as new */
  ended(status: DeploymentStatus): Promise<void>;
}

/**
 * Takes each stage of a deployment through the gate and carries out its action. Returns the final status when every stage is
 * done.
 *
 * @param from the first stage, where a run before did the others
 * @throws ApplicationFailure DeploymentDenied, DeploymentAborted, PauseTimedOut or ActionFailed
 */
export async function runStages(
  gate: Gate,
  spec: DeploymentSpec,
  from: number,
  hooks?: StageHooks,
): Promise<DeploymentStatus> {
  const ended = async (error?: unknown): Promise<void> => {
    if (hooks === undefined) return;
    const status = gate.shownStatus();
    const failed = error instanceof ApplicationFailure && !isFinal(status.state);
    const shown: DeploymentStatus = failed ? { ...status, state: 'failed', endReason: error.message } : status;
    if (isFinal(shown.state)) await CancellationScope.nonCancellable(() => hooks.ended(shown));
  };
  try {
    for (const [index, stage] of spec.stages.entries()) {
      if (index < from) continue;
      // An abort that was accepted since the last stage passed ends the deployment there: the next one never began.
      await gate.stage?.stopIfTold();
      await hooks?.begins(stage.name);
      await runStage(gate, spec, stage, index);
      await hooks?.passed(stage.name);
    }
  } catch (error) {
    if (isCancellation(error)) await gate.endCancelled(spec.stages[0]);
    if (error instanceof ApplicationFailure && error.type === FailureType.ActionFailed) {
      await endFailed(gate, error.message);
      await ended();
      // With what every stage did: it is all that is known of a workflow that failed.
      const { type, message } = error;
      throw ApplicationFailure.create({ type, message, nonRetryable: true, details: [gate.shownStatus()] });
    }
    if (error instanceof ActivityFailure && !isCancellation(error))
      await endFailed(gate, error.cause?.message ?? error.message);
    await ended(error);
    throw error;
  }
  await gate.end('done');
  await ended();
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
