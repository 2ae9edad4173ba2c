import { faultText } from '../../kernel/fault-text';
import { FailureType } from '../../kernel/failures';
import { formatDuration } from '../../kernel/duration';
import { LIMITS } from '../../kernel/limits';
import { shortList, shortText } from '../../kernel/short-text';
import { workflowIdOf } from '../../kernel/names';
import { isFinal, type DeploymentStatus, type Explanation, type Hold, type PendingLooks } from './deployment-state';
import { holdText } from './hold';
import type { OperatorCallKind } from './operator-call';

/** Facts that an explanation lists at most, those that the evaluation looked at first. */
const MAX_FACTS = 50;
/** Characters of a fact's value, and the sign that there are more. */
const MAX_VALUE_CHARS = 121;

/** Why a deployment is in its state, and what would unblock it. */
export function explain(status: DeploymentStatus, notes: readonly string[]): Explanation {
  const last = status.lastLook ?? status.lastDecision;
  const why = [...(status.hold ? [`Paused ${holdText(status.hold)}`] : []), ...whyOf(status)];
  const looks = looksOf(status);
  const wouldDeny = last?.decision.outcome === 'error' ? last.decision.evaluation?.wouldDeny : undefined;
  return {
    deploymentId: status.deploymentId,
    stage: status.stage,
    state: status.state,
    summary: summarise(status),
    why: shortList(why),
    ...(wouldDeny === undefined ? {} : { wouldDeny: shortList(wouldDeny) }),
    facts: lookedAtFirst(last?.facts ?? [])
      .slice(0, MAX_FACTS)
      .map(shortFact),
    unblock: unblock(status),
    ...(status.nextAskAtMs === undefined ? {} : { nextAskAtMs: status.nextAskAtMs }),
    ...(looks.length === 0 ? {} : { looks }),
    notes: [...notes],
  };
}

/** The reasons of the newest look: Temporal has newer numbers than the workflow, which hears of changes only. */
function whyOf({ pause, lastLook, lastDecision, pendingLooks }: DeploymentStatus): string[] {
  const newest = pendingLooks?.outcome === 'deny' ? pendingLooks.reasons : pendingLooks?.faults;
  if (newest !== undefined) return newest;
  const decision = (lastLook ?? lastDecision)?.decision;
  if (pause && !pause.recovered) return pause.faults.map(faultText);
  return decision?.outcome === 'deny' ? decision.denyReasons : (decision?.faults ?? []).map(faultText);
}

/** How a stage that waits is looked at; empty for one that does not wait. */
export function looksOf({ deploymentId, recheck, pendingLooks: pending }: DeploymentStatus): string[] {
  if (recheck === undefined) return [];
  const since = new Date(recheck.sinceMs).toISOString();
  const every = `every ${formatDuration(recheck.everyMs)}, later up to every ${formatDuration(recheck.atMostMs)}`;
  if (pending === undefined)
    return [
      `Looked at ${every}, since ${since}: what each look found is under Pending Activities (${recheck.activityId})`,
    ];
  const { count, lastAt, worker, paused, nextAtMs } = pending;
  const by = worker === undefined ? '' : ` by worker ${worker}`;
  const times = `${count} ${count === 1 ? 'look' : 'looks'} found the same since ${pending.firstAt ?? since}`;
  return [
    lastAt === undefined
      ? `Looked at ${every}, since ${since}; no look yet`
      : `${times}, the last one at ${lastAt}${by}`,
    ...(paused === undefined
      ? []
      : [`Rechecks are ${pausedText(paused)}: ${unpauseCommand(workflowIdOf(deploymentId), recheck.activityId)}`]),
    ...(nextAtMs === undefined || paused !== undefined ? [] : [`Next look at ${new Date(nextAtMs).toISOString()}`]),
  ];
}

/** Who paused an activity in Temporal: `paused in Temporal by ann (maintenance)`. */
export function pausedText({ by, reason }: NonNullable<PendingLooks['paused']>): string {
  return `paused in Temporal${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : ` (${reason})`}`;
}

/** The command that continues an activity which is paused in Temporal. */
export function unpauseCommand(workflowId: string, activityId: string): string {
  return `temporal activity unpause --workflow-id ${workflowId} --activity-id ${activityId}`;
}

/** The facts that the evaluation looked at come before those that it passed over. */
function lookedAtFirst(facts: Explanation['facts']): Explanation['facts'] {
  const isPassedOver = ({ lookedAt }: Explanation['facts'][number]): boolean => lookedAt === false;
  return [...facts.filter((fact) => !isPassedOver(fact)), ...facts.filter(isPassedOver)];
}

function shortFact(fact: Explanation['facts'][number]): Explanation['facts'][number] {
  return { ...fact, value: shortText(fact.value, MAX_VALUE_CHARS), source: shortText(fact.source, LIMITS.sourceChars) };
}

/** One sentence for subject lines and first lines. */
export function summarise(status: DeploymentStatus): string {
  const where = `Deployment ${status.deploymentId}, stage ${status.stage}`;
  switch (status.state) {
    case 'deciding':
      return `${where}: deciding`;
    case 'waiting':
      return `${where}: denied, waiting`;
    case 'paused':
      if (status.hold && !status.hold.afterAction) {
        const besides = status.pause === undefined ? '' : `; beside it, paused on ${status.pause.reason}`;
        return `${where}: paused ${holdText(status.hold)}${besides}`;
      }
      return status.pause?.recovered
        ? `${where}: paused on ${status.pause.reason}; the facts have recovered, an operator is awaited`
        : `${where}: paused on ${status.pause?.reason ?? 'an error'}`;
    case 'acting':
      return `${where}: allowed, acting${status.hold ? `; after that paused ${holdText(status.hold)}` : ''}`;
    case 'done':
      return `Deployment ${status.deploymentId}: done`;
    case 'denied':
    case 'aborted':
    case 'failed':
    case 'terminated':
    case 'timed-out':
      return `${where}: ${status.state}${status.endReason === undefined ? '' : `: ${status.endReason}`}`;
    default:
      return status.state satisfies never;
  }
}

/** The reply to a call that was accepted when everything had been done. */
export function tooLate({ state, endReason }: DeploymentStatus): string {
  return `too late: ${state}${endReason === undefined ? '' : `: ${endReason}`}`;
}

/** A command that operates the deployment, for people to complete. */
function command(kind: OperatorCallKind, { deploymentId, workflowId }: DeploymentStatus): string {
  const named = workflowId === undefined ? '' : ` --workflow-id ${workflowId}`;
  return `gate ${kind} ${deploymentId}${named} --actor YOU --reason WHY`;
}

function unblock(status: DeploymentStatus): string[] {
  if (status.hold && !isFinal(status.state)) return releasesOf(status, status.hold);
  if (status.state === 'paused' && status.pause) {
    const resume = command('resume', status);
    const abort = command('abort', status);
    // Nothing but the store's return ends this, and an operator's act must be recorded first.
    if (status.pause.reason === FailureType.AuditWriteFailed)
      return [...shortList(status.pause.faults.map(mend)), `Give up once it is back: ${abort}`];
    if (status.pause.recovered) return [`The facts have recovered. Go on: ${resume}`, `Give up: ${abort}`];
    return [
      ...shortList(status.pause.faults.map(mend)),
      `Then continue: ${resume}`,
      ...(status.lastDecision && status.pause.reason !== FailureType.ActionFailed
        ? [`Allow this stage all the same: ${command('override', status)}`]
        : []),
      `Give up: ${abort}`,
    ];
  }
  if (status.state === 'waiting') {
    return [
      ...shortList(whyOf(status).map((reason) => `Until this no longer holds: ${reason}`)),
      `Allow this stage all the same: ${command('override', status)}`,
      `Give up: ${command('abort', status)}`,
    ];
  }
  return [];
}

/** What ends a pause on demand. A call must be recorded first, so it needs the audit store. */
function releasesOf(status: DeploymentStatus, { untilMs }: Hold): string[] {
  const when = status.pause?.reason === FailureType.AuditWriteFailed ? ' once the audit store is back' : '';
  const byItself = 'the deployment then continues, or asks again, by itself';
  return [
    `Continue${when}: ${command('resume', status)}`,
    ...(untilMs === undefined ? [] : [`Or wait until ${new Date(untilMs).toISOString()}: ${byItself}`]),
    `Give up${when}: ${command('abort', status)}`,
  ];
}

function mend(fault: NonNullable<DeploymentStatus['pause']>['faults'][number]): string {
  const fact = fault.factId ?? 'the fact';
  switch (fault.type) {
    case 'FactStale':
      return `${fact} must be younger than ${fault.maxAgeMs === undefined ? 'its max age' : formatDuration(fault.maxAgeMs)}`;
    case 'FactSourceUnavailable':
      return `The source of ${fact} must answer${fault.where === undefined ? '' : ` (${fault.where})`}`;
    case 'FactInvalid':
      return `The source of ${fact} must answer what input.json describes`;
    case 'FactMissing':
      return `A provider for ${fact} must be configured, or the policy must not read it`;
    case 'AuditWriteFailed':
      return 'The audit store must be back; the deployment then resumes by itself';
    case 'LeaseLapsed':
      return `Raise the max age of the fact that lapsed, or shorten the way to the action: ${fault.message}`;
    case 'ActionFailed':
      return 'See why the workers die or hang (gate doctor, their logs, memory); a resume tries the action again under the same idempotency key';
    default:
      return `${fault.type} must be mended: ${fault.message}`;
  }
}
