import type { ActionRequest } from '../../activities/gate-activities';
import type { DeploymentSpec } from '../../gate/deployments/deployment-spec';
import type { Compensated } from '../../plans/execution/follow-run';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import { LIMITS } from '../../kernel/limits';
import { shortText } from '../../kernel/short-text';
import { toFault } from '../gate/activity-errors';
import { remoteActivities } from '../gate/activity-proxies';
import type { Branches } from '../gate/branches';
import type { Gate } from '../gate/gate';
import { idempotencyKeyOf, isTakenBack, moveTimeoutOf } from '../gate/stage-action';
import type { DoneNode, NodeRunner } from './run-nodes';
import type { RunReporter } from './run-reporter';

/** How one node is taken back. */
export interface NodeCompensation {
  /** under which it is sent, however often */
  key: string;
  /** Sends it. A failure is a result, so that it holds up nothing else. */
  run(trunk: Gate): Promise<Compensated>;
}

/** How what a node did is taken back; undefined where its action does not say. */
export function compensationOf(spec: DeploymentSpec, node: DoneNode): NodeCompensation | undefined {
  const place = spec.stages.findIndex(({ name }) => name === node.id);
  const { action } = spec.stages[place]!;
  if (action === undefined || !isTakenBack(action)) return undefined;
  const context = {
    deployment_id: spec.id,
    stage: node.id,
    stage_index: place,
    attributes: (spec.attributes ?? {}) as JsonObject,
    stage_attributes: (spec.stages[place]!.attributes ?? {}) as JsonObject,
    decision_id: node.decisionId ?? '',
  };
  const request: ActionRequest = { action, context, idempotencyKey: idempotencyKeyOf(action, context, node.attempt) };
  // As the action itself says it to a receiver.
  const key = `${request.idempotencyKey}/compensation`;
  return {
    key,
    async run(trunk) {
      const { activities } = trunk.stage!;
      try {
        const summary = `compensate ${node.id}`;
        await remoteActivities(activities, 'action', summary, moveTimeoutOf(action)).compensateAction(request);
        return { state: 'done', key };
      } catch (error) {
        const { message } = toFault(error, FailureType.ActionFailed);
        return { state: 'failed', key, error: shortText(message, LIMITS.failureChars) };
      }
    },
  };
}

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
  const due = runner.completed().flatMap((node) => {
    const compensation = compensationOf(spec, node);
    return compensation === undefined ? [] : [{ id: node.id, compensation }];
  });
  if (due.length > 0) branches.close('too late: the execution has ended, and what its nodes did is taken back');
  for (const { id, compensation } of due) {
    runner.compensated(id, { state: 'due', key: compensation.key });
    await reporter.flush();
    runner.compensated(id, await compensation.run(trunk));
    await reporter.flush();
    if (runner.isLong()) await trunk.continueAsNewIfLong();
  }
}
