import { isFinal, type DeploymentStatus } from '../../gate/deployments/deployment-state';
import { notFound } from '../exit';

/**
 * A workflow answers for the whole deployment where no stage of the name is open.
 *
 * @param stage that was asked for; @default the whole deployment
 * @throws CliExit 2, naming those that are open
 */
export function checkAskedStage(id: string, stage: string | undefined, status: DeploymentStatus): void {
  if (stage === undefined || status.stage === stage) return;
  const { openStages = isFinal(status.state) ? [] : [status] } = status;
  const open = openStages.map((each) => each.stage).join(', ');
  throw notFound(`stage ${stage} of deployment ${id} is not open${open === '' ? '' : `; open: ${open}`}`);
}
