import { sleep } from '@temporalio/workflow';
import type { EndpointCriterion } from '../../plans/execution/criteria';
import { NodePhase } from '../../plans/kinds/phases';
import type { NodeEnd } from './node-run';
import { lookAtCriterion } from './plan-activities';

/** How often a criterion is looked at until the node fails; the pause between two looks doubles, from a second. */
const MOST_LOOKS = 5;

/** The end of a node, once its criteria hold; where one does not in the end, the node has failed, though it did its work. */
export async function whenAccepted(criteria: readonly EndpointCriterion[], end: NodeEnd): Promise<NodeEnd> {
  if (end.phase !== NodePhase.Succeeded) return end;
  const unmet: string[] = [];
  for (const criterion of criteria) {
    const found = await whatIsFound(criterion);
    if (found === undefined) continue;
    const message = `criterion ${criterion.name}: ${found}`;
    if (criterion.isOptional !== true) return { ...end, phase: NodePhase.Failed, message };
    unmet.push(message);
  }
  return unmet.length === 0 ? end : { ...end, message: unmet.join('; ') };
}

/** What is found in place of what is expected, at the last look; undefined where the criterion holds. */
async function whatIsFound(criterion: EndpointCriterion): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const { holds, message } = await lookAtCriterion(criterion);
    if (holds) return undefined;
    if (look >= MOST_LOOKS) return message;
    await sleep(1_000 * 2 ** (look - 1));
  }
}
