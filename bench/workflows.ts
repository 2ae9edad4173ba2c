import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { NoOpActivities } from './no-op-activities';

export { deployment } from '../src/workflows';

const normal = proxyActivities<NoOpActivities>({ startToCloseTimeout: '10s' });
const local = proxyLocalActivities<NoOpActivities>({ startToCloseTimeout: '10s' });

/** What a gated stage costs at the least: one step through the server, two within the workflow task. */
export async function oneNormalTwoLocal(): Promise<void> {
  await normal.noOp();
  await local.noOp();
  await local.noOp();
}

/** The same three steps written as Temporal's tutorials do. */
export async function threeNormal(): Promise<void> {
  await normal.noOp();
  await normal.noOp();
  await normal.noOp();
}
