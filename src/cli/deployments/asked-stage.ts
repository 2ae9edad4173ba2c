import { isFinal, type DeploymentStatus, type OpenStage } from '../../gate/deployments/deployment-state';
import { notFound } from '../exit';

/** The stages that are open: several in an execution of a plan, and none of what has ended. */
export function openStagesOf(status: DeploymentStatus): readonly OpenStage[] {
  const { openStages = [], stage, state, pause, lastDecision } = status;
  if (openStages.length > 0) return openStages;
  if (isFinal(state)) return [];
  const pauseId = pause === undefined ? {} : { pauseId: pause.id };
  return [{ stage, state, ...pauseId, ...(lastDecision === undefined ? {} : { decisionId: lastDecision.decisionId }) }];
}

/** @throws CliExit 2, naming those that are open */
export function requireOpen(id: string, stage: string, status: DeploymentStatus): OpenStage {
  const open = openStagesOf(status);
  const found = open.find((each) => each.stage === stage);
  if (found !== undefined) return found;
  const names = open.map((each) => each.stage).join(', ');
  throw notFound(`stage ${stage} of deployment ${id} is not open${names === '' ? '' : `; open: ${names}`}`);
}

/**
 * A workflow answers for the whole deployment where no stage of the name is open.
 *
 * @param stage that was asked for; @default the whole deployment
 * @throws as `requireOpen`, where the answer is about another stage
 */
export function checkAskedStage(id: string, stage: string | undefined, status: DeploymentStatus): void {
  if (stage !== undefined && status.stage !== stage) requireOpen(id, stage, status);
}
