import { FailureType } from '../kernel/failures';
import type { FactTarget } from '../gate/facts/fact';
import { judgeFact, type FactFound } from '../plans/execution/fact-criterion';
import type { HttpFetch } from '../platform/http/http-client';
import { lookAtCallback, openCallback } from '../plans/service/callbacks';
import { followRun, readRunRequests } from '../plans/service/follow-run';
import { lookAtCriterion, lookAtExternal } from '../plans/service/look-at-external';
import { lookAtGate } from '../plans/service/look-at-gate';
import { lookAtWhen } from '../plans/service/look-at-when';
import type { PlanStore } from '../plans/store/plan-store';
import type { PlanActivities } from './plan-activities';
import { translated } from './to-application-failure';

/**
 * @param open the store of plans, opened once; asked again after it failed
 * @param fetch asks for work outside
 * @param findFact asks the source of a fact
 */
export function createPlanActivities(
  open: () => Promise<PlanStore>,
  fetch: HttpFetch,
  findFact: (target: FactTarget, id: string) => Promise<FactFound>,
): PlanActivities {
  let opening: Promise<PlanStore> | undefined;
  const opened = (): Promise<PlanStore> => {
    const current = (opening ??= open());
    current.catch(() => (opening = undefined));
    return current;
  };
  return {
    readRunRequests: (execution) =>
      translated(FailureType.StoreUnavailable, async () => readRunRequests(await opened(), execution)),
    reportPlanRun: (execution, report) =>
      translated(FailureType.StoreUnavailable, async () => followRun(await opened(), execution, report)),
    lookAtGate: (execution, look) =>
      translated(FailureType.StoreUnavailable, async () => lookAtGate(await opened(), execution, look, Date.now())),
    openCallback: (execution, callback) =>
      translated(FailureType.StoreUnavailable, async () => openCallback(await opened(), execution, callback)),
    lookAtCallback: (execution, callback) =>
      translated(FailureType.StoreUnavailable, async () => lookAtCallback(await opened(), execution, callback)),
    lookAtCriterion: (criterion) => lookAtCriterion(fetch, criterion),
    lookAtFact: async (target, criterion) => judgeFact(criterion, await findFact(target, criterion.fact)),
    lookAtExternal: (question) => lookAtExternal(fetch, question),
    lookAtWhen: (execution, node) =>
      translated(FailureType.StoreUnavailable, async () => lookAtWhen(await opened(), execution, node)),
  };
}
