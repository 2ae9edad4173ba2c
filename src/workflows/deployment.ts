import { continueAsNew } from '@temporalio/workflow';
import type { DeploymentSpec } from '../gate/deployments/deployment-spec';
import { CARRIED_VERSION, type CarriedGate, type DeploymentStatus } from '../gate/deployments/deployment-state';
import type { JsonObject } from '../kernel/json';
import { Gate } from './gate/gate';
import { runStages } from './gate/run-stages';
import { readableCarried } from './parts/readable-carried';

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
  return await runStages(gate, spec, carried?.stageIndex ?? 0);
}
