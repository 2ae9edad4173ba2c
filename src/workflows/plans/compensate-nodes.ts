import type { ActionRequest } from '../../activities/gate-activities';
import type { ActionSpec } from '../../gate/actions/action';
import type { DeploymentSpec } from '../../gate/deployments/deployment-spec';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import { toFault } from '../gate/activity-errors';
import { remoteActivities } from '../gate/activity-proxies';
import type { Branches } from '../gate/branches';
import type { Gate } from '../gate/gate';
import { idempotencyKeyOf, isTakenBack } from '../gate/stage-action';
import type { DoneNode, NodeRunner } from './run-nodes';
import type { RunReporter } from './run-reporter';

export interface CompensateOptions {
  spec: DeploymentSpec;
  runner: NodeRunner;
  trunk: Gate;
  branches: Branches;
  reporter: RunReporter;
}

/**
 * Takes back what the nodes did that succeeded, what was done last first and one at a time, each as its action says; a node whose
 * action says nothing stays as it is. It is in the status and recorded before anything is sent, and is sent under one key however
 * often. One that fails holds up no other. The run may continue as new in between.
 */
export async function compensateNodes({ spec, runner, trunk, branches, reporter }: CompensateOptions): Promise<void> {
  const actions = new Map(spec.stages.map(({ name, action }) => [name, action]));
  const due = runner.completed().filter(({ id }) => {
    const action = actions.get(id);
    return action !== undefined && isTakenBack(action);
  });
  if (due.length > 0) branches.close('too late: the execution has ended, and what its nodes did is taken back');
  for (const node of due) {
    const request = requestOf(spec, node, actions.get(node.id)!);
    // As the action itself says it to a receiver.
    const key = `${request.idempotencyKey}/compensation`;
    runner.compensated(node.id, { state: 'due', key });
    await reporter.flush();
    const { activities } = trunk.stage!;
    try {
      await remoteActivities(activities, 'action', `compensate ${node.id}`).compensateAction(request);
      runner.compensated(node.id, { state: 'done', key });
    } catch (error) {
      const { message } = toFault(error, FailureType.ActionFailed);
      runner.compensated(node.id, { state: 'failed', key, error: shortText(message, LIMITS.failureChars) });
    }
    await reporter.flush();
    if (runner.isLong()) await trunk.continueAsNewIfLong();
  }
}

function requestOf(
  spec: DeploymentSpec,
  { id, attempt, decisionId = '' }: DoneNode,
  action: ActionSpec,
): ActionRequest {
  const place = spec.stages.findIndex(({ name }) => name === id);
  const context = {
    deployment_id: spec.id,
    stage: id,
    stage_index: place,
    attributes: (spec.attributes ?? {}) as JsonObject,
    stage_attributes: (spec.stages[place]!.attributes ?? {}) as JsonObject,
    decision_id: decisionId,
  };
  return { action, context, idempotencyKey: idempotencyKeyOf(action, context, attempt) };
}
