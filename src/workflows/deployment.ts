import { ActivityFailure, ApplicationFailure, continueAsNew, isCancellation, uuid4 } from '@temporalio/workflow';
import type { ActionContext } from '../gate/actions/action';
import type { DeploymentSpec, StageSpec } from '../gate/deployments/deployment-spec';
import type { CarriedGate, DeploymentStatus } from '../gate/deployments/deployment-state';
import { FailureType } from '../kernel/failures';
import type { JsonObject } from '../kernel/json';
import { Gate } from './gate/gate';
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
 * @throws ApplicationFailure DeploymentDenied, DeploymentAborted or ActionFailed
 */
export async function deployment(input: DeploymentInput): Promise<DeploymentStatus> {
  const { spec, carried, historyLimit } = input;
  const gate = new Gate({
    deploymentId: spec.id,
    attributes: spec.attributes as JsonObject | undefined,
    stages: spec.stages.map((stage) => stage.name),
    carried,
    historyLimit,
    continueAsNew: (state) => continueAsNew<typeof deployment>({ ...input, carried: state }),
  });
  try {
    for (const [index, stage] of spec.stages.entries()) {
      if (index >= (carried?.stageIndex ?? 0)) await runStage(gate, spec, stage, index);
    }
  } catch (error) {
    if (isCancellation(error) && gate.hasBegun) await recordCancellation(gate);
    if (error instanceof ApplicationFailure && error.type === FailureType.ActionFailed)
      await endFailed(gate, error.message);
    if (error instanceof ActivityFailure && !isCancellation(error))
      await endFailed(gate, error.cause?.message ?? error.message);
    throw error;
  }
  await gate.end('done');
  await gate.settle();
  return gate.status();
}

async function runStage(gate: Gate, spec: DeploymentSpec, stage: StageSpec, stageIndex: number): Promise<void> {
  for (;;) {
    const pass = await gate.awaitStage(stage);
    if (stage.action === undefined || stage.action.type === 'none') break;
    const context: ActionContext = {
      deployment_id: spec.id,
      stage: stage.name,
      stage_index: stageIndex,
      attributes: (spec.attributes ?? {}) as JsonObject,
      stage_attributes: (stage.attributes ?? {}) as JsonObject,
      decision_id: pass.decisionId,
    };
    if ((await runStageAction(gate, stage.action, context, pass)) === 'done') break;
  }
  gate.passed();
}

/** Temporal's own cancellation is an abort without a name. */
async function recordCancellation(gate: Gate): Promise<void> {
  const reason = 'the workflow was cancelled in Temporal';
  await gate.audit.recordAct({ id: uuid4(), kind: 'abort', atMs: Date.now(), actor: 'temporal', reason });
  await gate.end('aborted', reason);
  await gate.settle();
}

async function endFailed(gate: Gate, reason: string): Promise<void> {
  await gate.end('failed', reason);
  await gate.settle();
}
