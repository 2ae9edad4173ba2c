import { sleep } from '@temporalio/workflow';
import type { FactTarget } from '../../gate/facts/fact';
import type { CriterionLook, NodeCriterion } from '../../plans/execution/criteria';
import { NodePhase } from '../../plans/kinds/phases';
import { steadyNow } from '../parts/steady-now';
import type { NodeEnd } from './node-run';
import { lookAtCriterion, lookAtFact } from './plan-activities';

/** How often an endpoint is looked at until the node fails; the pause between two looks doubles, from a second. */
const MOST_LOOKS = 5;
/** Between two looks at a fact. */
const LONGEST_PAUSE_MS = 30_000;

/**
 * The end of a node, once its criteria hold; where one does not in the end, the node has failed, though it did its work.
 *
 * @param target what facts are collected for
 */
export async function whenAccepted(
  criteria: readonly NodeCriterion[],
  end: NodeEnd,
  target: FactTarget,
): Promise<NodeEnd> {
  if (end.phase !== NodePhase.Succeeded) return end;
  const unmet: string[] = [];
  for (const criterion of criteria) {
    const found = await whatIsFound(criterion, target);
    if (found === undefined) continue;
    const message = `criterion ${criterion.name}: ${found}`;
    if (criterion.isOptional !== true) return { ...end, phase: NodePhase.Failed, message };
    unmet.push(message);
  }
  return unmet.length === 0 ? end : { ...end, message: unmet.join('; ') };
}

/** What is found in place of what is expected, at the last look; undefined where the criterion holds. */
function whatIsFound(criterion: NodeCriterion, target: FactTarget): Promise<string | undefined> {
  if (!('fact' in criterion)) {
    return untilItHolds(
      () => lookAtCriterion(criterion),
      (look) => (look >= MOST_LOOKS ? undefined : 1_000 * 2 ** (look - 1)),
    );
  }
  const untilMs = steadyNow() + criterion.withinMs;
  return untilItHolds(
    () => lookAtFact(target, criterion),
    (look) => {
      const leftMs = untilMs - steadyNow();
      return leftMs <= 0 ? undefined : Math.min(leftMs, LONGEST_PAUSE_MS, 1_000 * 2 ** (look - 1));
    },
  );
}

/** @param pauseAfter in milliseconds; undefined after the last look */
async function untilItHolds(
  lookOnce: () => Promise<CriterionLook>,
  pauseAfter: (look: number) => number | undefined,
): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const { holds, message } = await lookOnce();
    if (holds) return undefined;
    const pauseMs = pauseAfter(look);
    if (pauseMs === undefined) return message;
    await sleep(pauseMs);
  }
}
