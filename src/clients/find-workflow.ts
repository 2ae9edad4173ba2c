import type { Client } from '@temporalio/client';
import { FailureType, GateError } from '../kernel/failures';
import { NAME_PATTERN, workflowIdOf } from '../kernel/names';
import { isUnknownQuery } from './visibility';

/** Open workflows that an error names at most. */
const LISTED = 10;
const NAME = new RegExp(NAME_PATTERN);

/** Whether the deployment's own workflow is known, and open. */
export type OwnWorkflow = 'open' | 'closed' | 'unknown';

/**
 * The workflow that operates a deployment: its own, or one of other people's that awaits the gate for it. An open one comes
 * before a closed one, and of closed ones the deployment's own before the newest other one.
 *
 * @param own of `deployment/<id>`: Temporal's list may lag behind it
 * @throws GateError ConfigInvalid that lists them, where several are open; errors of the connection
 */
export async function findWorkflow(client: Client, deploymentId: string, own: OwnWorkflow): Promise<string> {
  const ownId = workflowIdOf(deploymentId);
  if (!NAME.test(deploymentId)) return ownId;
  const others = await otherWorkflows(client, deploymentId);
  const open = [...(own === 'open' ? [ownId] : []), ...others.filter(({ isOpen }) => isOpen).map(({ id }) => id)];
  if (open.length > 1) throw several(deploymentId, open);
  const [onlyOpen] = open;
  if (onlyOpen !== undefined) return onlyOpen;
  return own === 'closed' ? ownId : (others[0]?.id ?? ownId);
}

/**
 * The open workflows of other people that await the gate for a deployment, some of them where there are many.
 *
 * @throws errors of the connection
 */
export async function otherOpenWorkflows(client: Client, deploymentId: string): Promise<string[]> {
  const others = await otherWorkflows(client, deploymentId);
  return others.filter(({ isOpen }) => isOpen).map(({ id }) => id);
}

/** Open ones first, then the one that closed last; each workflow once. */
async function otherWorkflows(client: Client, deploymentId: string): Promise<{ id: string; isOpen: boolean }[]> {
  const found = new Map<string, { id: string; isOpen: boolean }>();
  const query = `DeploymentId = '${deploymentId}' AND WorkflowId != '${workflowIdOf(deploymentId)}'`;
  try {
    for await (const { workflowId: id, status } of client.workflow.list({ query })) {
      const isOpen = status.name === 'RUNNING';
      if (!found.has(id)) found.set(id, { id, isOpen });
      if (found.size > LISTED || !isOpen) break;
    }
  } catch (error) {
    if (!isUnknownQuery(error)) throw error;
  }
  return [...found.values()];
}

function several(deploymentId: string, open: readonly string[]): GateError {
  const message =
    `Expected one open workflow of deployment ${deploymentId}, found ${open.length}: ` +
    `${open.join(', ')}. Which one? Name it with --workflow-id`;
  return new GateError(FailureType.ConfigInvalid, message);
}
