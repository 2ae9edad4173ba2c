import {
  ActivityCancellationType,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
  type ActivityInterfaceFor,
} from '@temporalio/workflow';
import type { GateActivities, GateDefaults } from '../../activities/gate-activities';
import { parseDuration } from '../../kernel/duration';

export type Proxies = ActivityInterfaceFor<GateActivities>;
type Step = keyof GateDefaults['activities'];

/**
 * Share of the workflow task's time-out that evaluating and recording may take each. A local activity holds the workflow
 * task: both together stay below half of it, so that queries and updates are still answered.
 */
const LOCAL_SHARE = 0.22;
const LOCAL_ATTEMPTS = 3;
/** The action's worker beats every second; one that has not for this long is taken for dead. */
const HEARTBEAT_TIMEOUT_MS = 10_000;
const SHORTEST_HEARTBEAT_MS = 2_000;
const LOOK_MARGIN_MS = 5_000;

// A workflow runs in a module scope of its own, so this is of one execution.
let isManyAtOnce = false;

/**
 * From now on this execution starts no local activities. To be called first by a workflow that awaits several things at once:
 * a replay hears of the ends of local activities together, where the first run heard of them one after the other, and what
 * follows from them comes in another order.
 */
export function runManyAtOnce(): void {
  isManyAtOnce = true;
}

/** Whether what could be done within the workflow task goes through the server all the same. */
export function startsNoLocalActivities(): boolean {
  return isManyAtOnce;
}

/** Deciding costs no hop through the server where it can be done within the workflow task. */
export function localActivities(summary?: string): Proxies {
  const budgetMs = Math.max(50, Math.floor(workflowInfo().taskTimeoutMs * LOCAL_SHARE));
  return proxyLocalActivities<GateActivities>({
    scheduleToCloseTimeout: budgetMs,
    retry: {
      maximumAttempts: LOCAL_ATTEMPTS,
      initialInterval: Math.max(10, budgetMs / 10),
      maximumInterval: budgetMs / 4,
    },
    summary,
  });
}

/**
 * The defaults in force. A worker too busy to answer within the workflow task is asked through the server, for as long as
 * it takes: not to know how a stage behaves must not end a deployment.
 */
export async function readDefaults(): Promise<GateDefaults> {
  try {
    if (isManyAtOnce) return await defaultsByServer();
    return await localActivities('defaults in force').readDefaults();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return await defaultsByServer();
  }
}

async function defaultsByServer(): Promise<GateDefaults> {
  const defaults = await proxyActivities<GateActivities>({ startToCloseTimeout: '10s' }).readDefaults();
  // Another build may have answered. It cannot say what this code does.
  return { ...defaults, patches: undefined };
}

/** The same steps through the server, with the time-outs and retries of the configuration. */
export function remoteActivities(
  options: GateDefaults['activities'],
  step: Step,
  summary?: string,
  overrides: { maximumAttempts?: number; maximumIntervalMs?: number; timeoutMs?: number } = {},
): Proxies {
  const policy = options[step];
  const timeoutMs = overrides.timeoutMs ?? parseDuration(policy.timeout);
  return proxyActivities<GateActivities>({
    startToCloseTimeout: timeoutMs,
    retry: {
      maximumAttempts: overrides.maximumAttempts ?? policy.maximumAttempts,
      initialInterval: parseDuration(policy.initialInterval),
      maximumInterval: overrides.maximumIntervalMs ?? parseDuration(policy.maximumInterval),
    },
    // Only the action beats: an abort then waits until the request has been taken back or is known to have ended.
    ...(step === 'action'
      ? {
          // Shorter than the attempt: a worker that died must not look like a receiver that is slow.
          heartbeatTimeout: Math.min(HEARTBEAT_TIMEOUT_MS, Math.max(SHORTEST_HEARTBEAT_MS, timeoutMs / 2), timeoutMs),
          cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        }
      : {}),
    summary,
  });
}

/**
 * Looks until something changes, without an end: one attempt may take as long as collecting with all its attempts and
 * evaluating may, and a worker that has not beaten for ten seconds is taken for dead.
 */
export function recheckActivity(
  options: GateDefaults['activities'],
  everyMs: number,
  activityId: string,
  summary: string,
): Proxies {
  const { collectFacts, evaluatePolicy } = options;
  const collectingMs =
    collectFacts.maximumAttempts * (parseDuration(collectFacts.timeout) + parseDuration(collectFacts.maximumInterval));
  const evaluatingMs = evaluatePolicy.maximumAttempts * parseDuration(evaluatePolicy.timeout);
  return proxyActivities<GateActivities>({
    activityId,
    startToCloseTimeout: collectingMs + evaluatingMs + LOOK_MARGIN_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    retry: { initialInterval: everyMs, maximumInterval: everyMs, backoffCoefficient: 1 },
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    summary,
  });
}

/** Asks Temporal about the own workflow: short, because an operator may wait for it. */
export function readLooksActivity(): Proxies {
  return proxyActivities<GateActivities>({
    scheduleToCloseTimeout: '10s',
    startToCloseTimeout: '3s',
    retry: { maximumAttempts: 3, initialInterval: '100ms' },
    summary: 'looks counted so far',
  });
}

/** Never gives up: the server keeps asking, and the history does not grow. */
export function untilRecorded(options: GateDefaults['activities'], summary: string): Proxies {
  return remoteActivities(options, 'recordDecision', summary, { maximumAttempts: Infinity });
}
