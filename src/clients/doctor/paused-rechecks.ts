import type { Client } from '@temporalio/client';
import { RECHECK_ACTIVITY } from '../../activities/recheck';
import { pausedText, unpauseCommand } from '../../gate/deployments/explain';
import { countPaused, findPaused } from '../../platform/temporal/paused-activities';
import { attempt, type Finding } from './finding';

const SHOWN = 20;

/** Deployments that look at nothing, because someone paused their rechecks in Temporal. Throws nothing. */
export async function pausedFindings(client: Client, taskQueue: string): Promise<Finding[]> {
  const search = { taskQueue, activityType: RECHECK_ACTIVITY };
  const asked = await attempt(async () => {
    const [count, paused] = await Promise.all([countPaused(client, search), findPaused(client, search, SHOWN)]);
    return { count, paused };
  });
  if ('error' in asked) {
    const found = `whether rechecks are paused in Temporal could not be found out: ${asked.error}`;
    return [{ state: 'note', what: 'rechecks', found }];
  }
  const { count, paused } = asked.value;
  const findings = paused.map(({ workflowId, activity }): Finding => ({
    state: 'note',
    what: 'rechecks',
    found: `those of ${workflowId} are ${pausedText(activity.paused ?? {})}: it is not looked at`,
    advice: `${unpauseCommand(workflowId, activity.activityId)} continues them`,
  }));
  if (count > SHOWN) {
    findings.push({ state: 'note', what: 'rechecks', found: `those of ${count - SHOWN} more deployments are paused` });
  }
  return findings;
}
