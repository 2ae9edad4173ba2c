import { proxyActivities } from '@temporalio/workflow';
import type { PlanActivities } from '../../activities/plan-activities';

/** Never gives up: the server keeps asking, and the history does not grow. */
export const {
  lookAtCallback,
  lookAtCriterion,
  lookAtExternal,
  lookAtFact,
  lookAtGate,
  lookAtWhen,
  openCallback,
  readRunRequests,
  reportPlanRun,
} = proxyActivities<PlanActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '30s' },
});
