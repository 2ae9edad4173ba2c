import type { WorkflowInfo } from '@temporalio/workflow';

/**
 * Events that a run has at least before a new version alone is a reason to leave it: more than a run that only waits, less
 * than one decision. While a server names a new version again and again, there is one run a decision instead of a chain without end.
 */
const EVENTS_BEFORE_NEW_VERSION = 15;

/** What Temporal says of a run before each wait. */
export type RunLength = Pick<
  WorkflowInfo,
  'continueAsNewSuggested' | 'targetWorkerDeploymentVersionChanged' | 'historyLength'
>;

/**
 * Whether a run is to continue as new: its history is long, or its deployment version is no longer the target one. Only
 * newer servers tell the latter, and only of runs that an operator pinned: others move to a new version by themselves.
 *
 * @param historyLimit continue beyond this many events, earlier than the server suggests
 */
export function shouldContinueAsNew(run: RunLength, historyLimit = Infinity): boolean {
  if (run.continueAsNewSuggested || run.historyLength >= historyLimit) return true;
  return run.targetWorkerDeploymentVersionChanged && run.historyLength >= EVENTS_BEFORE_NEW_VERSION;
}
