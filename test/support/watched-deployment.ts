import type { Client } from '@temporalio/client';
import type { DeploymentStatus } from '../../src/gate/deployments/deployment-state';
import { workflowIdOf } from '../../src/kernel/names';
import type { deployment } from '../../src/workflows/deployment';
import { statusQuery } from '../../src/workflows/messages';
import { eventually } from './eventually';

/** The deployment that a test has at work: which one, and on which server, is asked at each use, as each test has its own. */
export function watchedDeployment(now: () => { client: Client; id: string }) {
  const handle = () => {
    const { client, id } = now();
    return client.workflow.getHandle<typeof deployment>(workflowIdOf(id));
  };
  const status = (): Promise<DeploymentStatus> => handle().query(statusQuery);
  return {
    handle,
    status,
    /** its status once it is in `state` */
    reaches: (state: string): Promise<DeploymentStatus> =>
      eventually(`state ${state}`, async () => {
        const found = await status();
        return found.state === state && found;
      }),
    /** resolves when its workflow has ended, however it did */
    closed: async (): Promise<void> => {
      await handle()
        .result()
        .catch(() => undefined);
    },
  };
}
