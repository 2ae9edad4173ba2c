import { proxyActivities } from '@temporalio/workflow';
import { awaitGate, closeGate } from 'planning-engine/workflow';
import type { RolloutActivities } from './activities';

const { rollOut } = proxyActivities<RolloutActivities>({ startToCloseTimeout: '1 minute' });

/** A workflow of your own: every region waits at the gate. Operators resume, override and abort it like any deployment. */
export async function rollout({ id, regions }: { id: string; regions: string[] }): Promise<string[]> {
  const done: string[] = [];
  for (const region of regions) {
    const { lease, overridden } = await awaitGate({
      deploymentId: id,
      stage: region,
      onDeny: 'wait',
      recheckEvery: '1s',
    });
    const why = overridden ? 'overridden' : `allowed under release ${lease?.release?.manifestVersion ?? 'unknown'}`;
    done.push(await rollOut(region, why));
  }
  await closeGate(id);
  return done;
}
