import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { isFinal } from '../../../gate/deployments/deployment-state';
import { FailureType } from '../../../kernel/failures';
import type { JsonObject } from '../../../kernel/json';
import { NodePhase } from '../../../plans/kinds/phases';
import type { Gate } from '../../gate/gate';
import { runStage, type StageOptions } from '../../gate/run-stages';
import type { NodeEnd, NodeRun } from '../node-run';

/** A task passes the gate as the stage of a deployment does, and acts as its binding says. */
export async function runTask(
  run: NodeRun,
  { isNewEachTime }: Pick<StageOptions, 'isNewEachTime'> = {},
): Promise<NodeEnd> {
  const { node, stage, place, spec, branches, attempt } = run;
  const gate = branches.begin(node.id, attempt);
  try {
    let outputs: JsonObject | undefined;
    const asked = node.outputs && { names: node.outputs, take: (given: JsonObject) => (outputs = given) };
    const { decisionId } = await runStage(gate, spec, stage, place, {
      ...(asked === undefined ? {} : { asked }),
      ...(isNewEachTime === undefined ? {} : { isNewEachTime }),
    });
    return { phase: NodePhase.Succeeded, decisionId, ...(outputs === undefined ? {} : { outputs }) };
  } catch (error) {
    await endGate(gate, error);
    if (isCancellation(error)) throw error;
    const { state, endReason } = gate.status();
    const isStopped = state === 'aborted' && branches.isStopping;
    const message = endReason ?? state;
    return { phase: isStopped ? NodePhase.Cancelled : NodePhase.Failed, message, state };
  } finally {
    branches.end(node.id);
  }
}

/** What an action throws leaves its gate open. */
async function endGate(gate: Gate, error: unknown): Promise<void> {
  if (isFinal(gate.status().state)) return;
  if (isCancellation(error)) return await gate.end('aborted', 'the node was cancelled');
  if (error instanceof ApplicationFailure && error.type === FailureType.ActionFailed)
    return await gate.end('failed', error.message);
  if (error instanceof ActivityFailure) return await gate.end('failed', error.cause?.message ?? error.message);
  throw error;
}
