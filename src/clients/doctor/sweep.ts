import type { Client } from '@temporalio/client';
import { SWEEP_WORKFLOW_ID } from '../../kernel/names';
import { attendanceOf } from '../../platform/temporal/keeping/attendance';
import { wedgedText, wedgedWorkflow, WEDGED_ADVICE } from '../../platform/temporal/wedged/find-wedged';
import { attempt, type Finding } from './finding';

const WHAT = 'sweep';
const UNRECORDED = 'ends of terminated and timed-out deployments are neither told nor recorded';

/** Whether someone records the ends that Temporal does not tell workflows of. Throws nothing. */
export async function sweepFinding(client: Client, namespace: string): Promise<Finding> {
  const asked = await attempt(() => attendanceOf(client, namespace, SWEEP_WORKFLOW_ID));
  if ('error' in asked) return { state: 'note', what: WHAT, found: `${SWEEP_WORKFLOW_ID}: ${asked.error}` };
  const { value } = asked;
  if (value.state === 'not running') {
    const advice = 'gate worker starts it; a program with workers of its own calls startSweep';
    return { state: 'note', what: WHAT, found: `${SWEEP_WORKFLOW_ID} does not run: ${UNRECORDED}`, advice };
  }
  if (value.state === 'unattended') {
    const found = `${SWEEP_WORKFLOW_ID} is on task queue ${value.taskQueue}, which no worker polls: ${UNRECORDED}`;
    const advice = 'Any gate worker of the namespace takes it over within a minute';
    return { state: 'note', what: WHAT, found, advice };
  }
  const wedged = await attempt(() => wedgedWorkflow(client, namespace, SWEEP_WORKFLOW_ID));
  if ('value' in wedged && wedged.value)
    return { state: 'missing', what: WHAT, found: wedgedText(wedged.value), advice: WEDGED_ADVICE };
  return { state: 'ok', what: WHAT, found: `${SWEEP_WORKFLOW_ID} on task queue ${value.taskQueue}` };
}
