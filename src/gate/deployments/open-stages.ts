import { isFinal, type DeploymentStatus, type OpenStage } from './deployment-state';

/** The state of a stage that people must look at first. */
const URGENCY: readonly DeploymentStatus['state'][] = ['paused', 'waiting', 'acting', 'deciding'];

/**
 * Of several stages that are open the one that is shown as the present one: what waits for somebody comes first, then the
 * order of the deployment.
 */
export function presentOf(open: readonly DeploymentStatus[]): DeploymentStatus | undefined {
  // A pause on demand holds nothing up while an action runs.
  const acting = open.find(({ state, hold }) => state === 'acting' && hold !== undefined);
  if (acting !== undefined) return acting;
  const byUrgency = [...open].sort(
    (one, other) => URGENCY.indexOf(one.state) - URGENCY.indexOf(other.state) || one.stageIndex - other.stageIndex,
  );
  return byUrgency.find(({ state }) => !isFinal(state));
}

/**
 * The status of a deployment with several stages open at once, from their own: what it says beside its stages is that of the
 * present one, and the others are in `openStages`.
 *
 * @param own what is known of all of them together
 * @param ended the status of the first stage that did not succeed
 */
export function openStatus(
  own: DeploymentStatus,
  open: readonly DeploymentStatus[],
  ended: DeploymentStatus | undefined,
): DeploymentStatus {
  const present = isFinal(own.state) ? ended : presentOf(open);
  if (present === undefined) return own;
  const { stage, stageIndex, lastDecision } = present;
  const shared = { ...own, stage, stageIndex, ...(lastDecision === undefined ? {} : { lastDecision }) };
  if (isFinal(own.state)) return shared;
  const { pause, incident, lastLook, recheck, nextAskAtMs, hold } = present;
  return {
    ...shared,
    state: present.state,
    ...(hold === undefined ? {} : { hold }),
    ...(pause === undefined ? {} : { pause }),
    ...(incident === undefined ? {} : { incident }),
    ...(lastLook === undefined ? {} : { lastLook }),
    ...(recheck === undefined ? {} : { recheck }),
    ...(nextAskAtMs === undefined ? {} : { nextAskAtMs }),
    ...(open.length > 1 ? { openStages: open.map(shortly) } : {}),
  };
}

/** A present stage of several, as short as a call to it needs. */
function shortly({ stage, state, pause, lastDecision }: DeploymentStatus): OpenStage {
  return {
    stage,
    state,
    ...(pause === undefined ? {} : { pauseId: pause.id, pausedOn: pause.reason }),
    ...(lastDecision === undefined ? {} : { decisionId: lastDecision.decisionId }),
  };
}
