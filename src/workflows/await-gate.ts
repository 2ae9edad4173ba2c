import { isCancellation } from '@temporalio/workflow';
import type { JsonObject } from '../kernel/json';
import { isFinal } from '../gate/deployments/deployment-state';
import type { GatePass } from '../gate/deployments/gate-pass';
import { holdsAcceptedCalls, isWorkflowCancelled } from './parts/accepted-calls';
import { Gate, type GatedStage, type GateOptions } from './gate/gate';

export type { GatePass } from '../gate/deployments/gate-pass';
export type { GatedStage } from './gate/gate';
export { deliverAlerts } from './deliver-alerts';
export * from './messages';

/** One stage of a deployment, from a workflow of your own. */
export interface AwaitGateRequest extends Omit<GatedStage, 'name' | 'attributes'> {
  /** `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`, as is the stage */
  deploymentId: string;
  stage: string;
  /** the deployment's attributes, `input.deployment.attributes` */
  attributes?: JsonObject;
  stageAttributes?: JsonObject;
  /** false in namespaces without the gate's search attributes; @default true */
  searchAttributes?: boolean;
  /**
   * your workflows export `deliverAlerts`, which sends the last messages when yours has closed: no receiver of alerts holds
   * it up. Otherwise `closeGate` waits until each is sent or given up; the first request of a deployment counts.
   * @default false
   */
  leavesAlerts?: boolean;
}

// A workflow runs in a module scope of its own, so this holds the gates of one workflow execution.
const gates = new Map<string, Gate>();
let turn: Promise<unknown> = Promise.resolve();

/**
 * Waits, in a workflow of your own, until the stage may continue; the operator's messages (resume, abort, override) and the
 * queries (status, explain) are then answered by your workflow. Stages are asked for one after the other. An abort that is
 * accepted while your own work goes on is thrown by the next call of `awaitGate` or `closeGate`. A cancellation of your workflow
 * in Temporal ends the deployment as an abort by `temporal`, with its records and messages; one of a scope of your own
 * ends the wait alone.
 *
 * @throws ApplicationFailure DeploymentDenied, DeploymentAborted or PauseTimedOut
 * @throws CancelledFailure
 */
export async function awaitGate(request: AwaitGateRequest): Promise<GatePass> {
  const { deploymentId, stage, attributes, stageAttributes, searchAttributes, leavesAlerts, ...behaviour } = request;
  const options: GateOptions = { deploymentId, attributes, searchAttributes, leavesAlerts };
  const gate = gates.get(deploymentId) ?? new Gate(options);
  gates.set(deploymentId, gate);
  const before = turn;
  const gated = { name: stage, attributes: stageAttributes, ...behaviour };
  const pass = before.then(async () => {
    await gate.stage?.failIfAborted();
    // Whoever asks for another stage is done with the one before.
    if (gate.stage && gate.status().stage !== stage) gate.apply({ type: 'stage-passed' });
    try {
      await gate.stage?.stopIfTold();
      const atGate = await gate.begin(gated);
      return await atGate.awaitPass();
    } catch (error) {
      if (isCancellation(error)) await endIfCancelled(gate, gated);
      throw error;
    }
  });
  turn = pass.catch(() => undefined);
  const result = await pass;
  gate.apply({ type: 'action-started' });
  return result;
}

/**
 * To be awaited before your workflow returns: operators' calls are answered and every message is sent. After the
 * deployment has ended, by an abort say, it changes nothing. The deployment of a workflow that was cancelled in Temporal ends as
 * aborted.
 *
 * @throws ApplicationFailure DeploymentAborted for an abort that was accepted since the last stage began to act: what you
 *   did is then yours to take back
 */
export async function closeGate(deploymentId: string): Promise<void> {
  const gate = gates.get(deploymentId);
  if (gate === undefined || (isFinal(gate.status().state) && holdsAcceptedCalls())) return;
  try {
    await gate.stage?.stopIfTold();
  } catch (error) {
    if (isCancellation(error)) await endIfCancelled(gate);
    throw error;
  }
  // Called where no cancellation reaches it, as what must be done at the end often is.
  if (await endIfCancelled(gate)) return;
  gate.apply({ type: 'stage-passed' });
  await gate.end('done');
  await gate.settle();
}

/** Runs of earlier releases recorded no cancellation. */
async function endIfCancelled(gate: Gate, first?: GatedStage): Promise<boolean> {
  if (!isWorkflowCancelled() || !holdsAcceptedCalls()) return false;
  await gate.endCancelled(first);
  return true;
}
