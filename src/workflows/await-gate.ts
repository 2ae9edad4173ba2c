import type { JsonObject } from '../kernel/json';
import { isFinal } from '../gate/deployments/deployment-state';
import type { GatePass } from '../gate/deployments/gate-pass';
import { holdsAcceptedCalls } from './parts/accepted-calls';
import { Gate, type GatedStage, type GateOptions } from './gate/gate';

export type { GatePass } from '../gate/deployments/gate-pass';
export type { GatedStage } from './gate/gate';
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
}

// A workflow runs in a module scope of its own, so this holds the gates of one workflow execution.
const gates = new Map<string, Gate>();
let turn: Promise<unknown> = Promise.resolve();

/**
 * Waits, in a workflow of your own, until the stage may continue; the operator's messages (resume, abort, override) and the
 * queries (status, explain) are then answered by your workflow. Stages are asked for one after the other. An abort that is
 * accepted while your own work goes on is thrown by the next call of `awaitGate` or `closeGate`.
 *
 * @throws ApplicationFailure DeploymentDenied or DeploymentAborted
 */
export async function awaitGate(request: AwaitGateRequest): Promise<GatePass> {
  const { deploymentId, stage, attributes, stageAttributes, searchAttributes, ...behaviour } = request;
  const options: GateOptions = { deploymentId, attributes, searchAttributes };
  const gate = gates.get(deploymentId) ?? new Gate(options);
  gates.set(deploymentId, gate);
  const before = turn;
  const pass = before.then(async () => {
    await gate.stage?.failIfAborted();
    // Whoever asks for another stage is done with the one before.
    if (gate.stage && gate.status().stage !== stage) gate.apply({ type: 'stage-passed' });
    await gate.stage?.stopIfTold();
    const atGate = await gate.begin({ name: stage, attributes: stageAttributes, ...behaviour });
    return await atGate.awaitPass();
  });
  turn = pass.catch(() => undefined);
  const result = await pass;
  gate.apply({ type: 'action-started' });
  return result;
}

/**
 * To be awaited before your workflow returns: operators' calls are answered and every message is sent. After the
 * deployment has ended, by an abort say, it changes nothing.
 *
 * @throws ApplicationFailure DeploymentAborted for an abort that was accepted since the last stage began to act: what you
 *   did is then yours to take back
 */
export async function closeGate(deploymentId: string): Promise<void> {
  const gate = gates.get(deploymentId);
  if (gate === undefined || (isFinal(gate.status().state) && holdsAcceptedCalls())) return;
  await gate.stage?.stopIfTold();
  gate.apply({ type: 'stage-passed' });
  await gate.end('done');
  await gate.settle();
}
