import { awaitGate, closeGate } from '../../src/workflows/await-gate';

export { deployment } from '../../src/workflows/deployment';

/** A workflow of other people that waits at the gates of several deployments, one after the other. */
export async function several({ ids, attributes = true }: { ids: string[]; attributes?: boolean }): Promise<string> {
  for (const deploymentId of ids) {
    await awaitGate({
      deploymentId,
      stage: 'only',
      onDeny: 'wait',
      recheckEvery: '10m',
      ...(attributes ? {} : { searchAttributes: false }),
    });
  }
  for (const deploymentId of ids) await closeGate(deploymentId);
  return 'all their own';
}
