import { ApplicationFailure, isCancellation, sleep } from '@temporalio/workflow';
import type { ActionRequest } from '../../activities/gate-activities';
import type { ActionContext, ActionResult, ActionSpec } from '../../gate/actions/action';
import { DEFAULT_DURATIONS, parseDuration } from '../../kernel/duration';
import { FailureType } from '../../kernel/failures';
import type { JsonObject } from '../../kernel/json';
import type { ActedResult } from '../../audit/ends';
import {
  isLostWithWorker,
  isRetryable,
  isTimeOut,
  isUntaken,
  lapsedLease,
  mayHaveBeenSent,
  statusOf,
  toFault,
  unconfirmedLease,
} from './activity-errors';
import { remoteActivities } from './activity-proxies';
import type { InterruptedAction } from '../../gate/deployments/deployment-state';
import type { GatePass } from '../../gate/deployments/gate-pass';
import type { Patch } from '../../gate/deployments/patches';
import { workersLostFault } from '../../gate/deployments/pause';
import { holdsAcceptedCalls, isCancelled, throwIfCancelled } from '../parts/accepted-calls';
import { untilUrgent } from '../parts/await-call';
import { Compensation } from '../parts/compensation';
import { passes } from '../parts/patches';
import type { StageGate } from './stage-gate';

/** Values that an action is to give, and who takes them. */
export interface AskedOutputs {
  names: readonly string[];
  take(outputs: JsonObject): void;
}

/** What is asked of a stage beside its action. */
export interface StageOptions {
  asked?: AskedOutputs;
  /** each attempt at the stage has a key of its own: its request is not the same; @default only that of an action that is taken back */
  isNewEachTime?: boolean;
}

/**
 * Runs a stage's action under its lease. The attempts are counted here and not by the server, because whether the lease
 * is still checked depends on how the attempt before ended (gate rules, section 6).
 *
 * Attempts that are lost with their worker do not count as the action's own: after five of them the deployment is paused.
 *
 * @param options what an earlier run has carried of the action, which waits for an operator; what is asked of it
 * @returns `lapsed` when the lease ended before a request was sent, or could not be confirmed at the last attempt, or when
 *   the deployment was paused before: the stage must be decided again
 * @throws ApplicationFailure ActionFailed after the last attempt, DeploymentAborted on an operator's abort; the action is
 *   compensated first where it may have been sent and says how
 */
export async function runStageAction(
  stage: StageGate,
  action: ActionSpec,
  context: ActionContext,
  pass: GatePass,
  { interrupted, asked, isNewEachTime }: StageOptions & { interrupted?: InterruptedAction } = {},
): Promise<'done' | 'lapsed'> {
  // An operator has paused the deployment since it was allowed.
  if (!interrupted && stage.isHeld) return 'lapsed';
  const options = stage.activities;
  const request: ActionRequest = {
    action,
    context,
    idempotencyKey: idempotencyKeyOf(action, context, stage.attempt, isNewEachTime),
    ...(asked === undefined ? {} : { outputs: asked.names }),
    ...(pass.lease?.release === undefined ? {} : { release: pass.lease.release }),
  };
  if (!interrupted) stage.actionStarted();
  const startedAtMs = interrupted?.startedAtMs ?? Date.now();
  const statuses: (number | null)[] = [...(interrupted?.statuses ?? [])];
  let attempts = interrupted?.attempts ?? 0;
  const compensation = new Compensation();
  let sent = false;
  const noteSent = (): void => {
    if (!sent) addCompensation(compensation, stage, request);
    sent = true;
  };
  /** Recorded before anything is taken back. */
  const ended = (result: ActedResult, error?: string): Promise<void> =>
    stage.recordActed({
      type: action.type,
      result,
      attempts,
      statuses: statuses.slice(-KEPT_STATUSES),
      durationMs: Date.now() - startedAtMs,
      compensation: result !== 'done' && !compensation.isEmpty ? 'due' : 'none',
      ...(error === undefined ? {} : { error }),
    });
  /** An abort that was accepted ends the deployment here, and so does a cancellation by Temporal. */
  const stopIfTold = async (): Promise<void> => {
    const recordIfTried = async (result: ActedResult): Promise<void> => {
      if (attempts > 0) await ended(result);
    };
    const abort = await stage.takeAbort();
    if (abort) {
      await recordIfTried('aborted');
      await stage.endAborted(abort, await takeBack(compensation));
    }
    if (!isCancelled() || !holdsAcceptedCalls()) return;
    await recordIfTried('cancelled');
    stage.noteRemark(await takeBack(compensation));
    await throwIfCancelled();
  };
  /** Returns when the action is to be tried again. */
  const awaitRetry = async (): Promise<void> => {
    const fault = workersLostFault(nameOf(action), context.stage, MOST_LOST);
    const known = { pass, startedAtMs, attempts, statuses: statuses.slice(-KEPT_STATUSES) };
    let told: Awaited<ReturnType<StageGate['awaitRetry']>>;
    try {
      told = await stage.awaitRetry(known, fault);
    } catch (error) {
      if (stage.mustStop()) await stopIfTold();
      throw error;
    }
    if (told === 'retry') return;
    if (told === 'over') {
      await ended('failed', fault.message);
      return await stage.endPaused(await takeBack(compensation));
    }
    await ended('aborted');
    await stage.endAborted(told.abort, await takeBack(compensation));
  };
  // Attempts that were lost with their worker count apart: they say nothing of the action.
  let lost = 0;
  if (interrupted) {
    noteSent();
    await awaitRetry();
  }
  let attempt = 1;
  for (;;) {
    if (stage.mustStop()) await stopIfTold();
    let failure: unknown;
    let answer: ActionResult | undefined;
    try {
      answer = await untilUrgent(stage.inbox, () =>
        remoteActivities(options, 'action', `${action.type} for ${context.stage}`, {
          maximumAttempts: 1,
          ...timeoutOf(action),
        }).runAction({
          ...request,
          ...(sent || pass.lease === undefined ? {} : { lease: pass.lease }),
        }),
      );
    } catch (error) {
      failure = error;
    }
    const untaken = isUntaken(failure) && holdsAcceptedCalls();
    if (!untaken) {
      attempts += 1;
      statuses.push(answer?.status ?? statusOf(failure) ?? null);
    }
    const lapsed = lapsedLease(failure);
    if (failure === undefined || (!untaken && lapsed === undefined && mayHaveBeenSent(failure))) noteSent();
    await stopIfTold();
    if (failure === undefined) {
      asked?.take(answer?.outputs ?? {});
      await ended('done');
      return 'done';
    }
    if (lapsed && pass.lease) {
      await stage.leaseLapsed(pass.lease, lapsed);
      return 'lapsed';
    }
    if (isCancellation(failure)) {
      await ended('cancelled');
      await takeBack(compensation);
      throw failure;
    }
    const unconfirmed = unconfirmedLease(failure);
    if (unconfirmed && pass.lease && attempt >= options.action.maximumAttempts) {
      await stage.leaseUnconfirmed(pass.lease, unconfirmed);
      return 'lapsed';
    }
    const isLost = isLostWithWorker(failure) && !isFinalTimeOut(action, failure) && passes(LOST_PATCH);
    if (isLost && lost + 1 >= MOST_LOST) {
      await awaitRetry();
      lost = 0;
      continue;
    }
    const isLast = !isLost && attempt >= options.action.maximumAttempts;
    if (isLast || !isRetryable(failure) || isFinalTimeOut(action, failure)) {
      const { message } = toFault(failure, FailureType.ActionFailed);
      await ended('failed', message);
      const remark = await takeBack(compensation);
      throw ApplicationFailure.nonRetryable(`${message}${remark}`, FailureType.ActionFailed);
    }
    try {
      await pauseBetweenAttempts(stage, isLost ? lost + 1 : attempt);
    } catch (error) {
      if (stage.mustStop()) await stopIfTold();
      if (isCancellation(error) && stage.recordsEnds) {
        await ended('cancelled');
        await takeBack(compensation);
      }
      throw error;
    }
    if (isLost) lost += 1;
    else attempt += 1;
  }
}

/** Runs that pass it count attempts apart that were lost with their worker. */
const LOST_PATCH: Patch = 'lost-workers';
/** Attempts that are lost with their worker before an operator is asked. */
const MOST_LOST = 5;
const KEPT_STATUSES = 20;

/** Beyond a move's own time, so that its end is heard of. */
const MOVE_MARGIN_MS = 60_000;

/** An image and a move may take longer than any request: their attempts have a time-out of their own. */
function timeoutOf(action: ActionSpec): { timeoutMs?: number } {
  if (action.type === 'replicate-image')
    return { timeoutMs: parseDuration(action.timeout ?? DEFAULT_DURATIONS.replicateImage) };
  return moveTimeoutOf(action);
}

/** To take a move back is another move; all else is taken back by a few requests. */
export function moveTimeoutOf(action: ActionSpec): { timeoutMs?: number } {
  if (action.type !== 'shard' || action.operation !== 'move') return {};
  return { timeoutMs: parseDuration(action.within ?? DEFAULT_DURATIONS.shardMove) + MOVE_MARGIN_MS };
}

/**
 * A stage that is run again repeats its call under the same key, unless that was taken back: a receiver that remembers the key
 * would answer that it is done. A shard manager remembers refusals too, so that the same key would be refused for ever.
 */
export function idempotencyKeyOf(
  action: ActionSpec,
  context: ActionContext,
  attempt: number,
  isNewEachTime = isTakenBack(action) || action.type === 'shard',
): string {
  const key = `${context.deployment_id}/${context.stage}`;
  return attempt > 1 && isNewEachTime ? `${key}/${attempt}` : key;
}

/** Whether an action says how it is taken back. */
export function isTakenBack(action: ActionSpec): boolean {
  if (action.type === 'none') return false;
  if (action.type === 'http' || action.type === 'notify') return action.compensation !== undefined;
  return action.compensate === true;
}

function nameOf(action: ActionSpec): string {
  return action.type === 'module' ? action.name : action.type;
}

async function pauseBetweenAttempts(stage: StageGate, attempt: number): Promise<void> {
  const { initialInterval, maximumInterval } = stage.activities.action;
  const backoffMs = Math.min(parseDuration(maximumInterval), parseDuration(initialInterval) * 2 ** (attempt - 1));
  await untilUrgent(stage.inbox, () => sleep(backoffMs)).catch((error: unknown) => {
    if (!stage.inbox.urgentAwaits) throw error;
  });
}

/** A worker that died or hung gave no answer either. */
function isFinalTimeOut(action: ActionSpec, failure: unknown): boolean {
  return action.type === 'http' && action.retryOnTimeout === false && isTimeOut(failure);
}

/** A request may have left: from here on the action is taken back where it says how. */
function addCompensation(compensation: Compensation, stage: StageGate, request: ActionRequest): void {
  const { action, context } = request;
  if (!isTakenBack(action)) return;
  const activities = remoteActivities(stage.activities, 'action', `compensate ${context.stage}`, moveTimeoutOf(action));
  compensation.add(context.stage, () => activities.compensateAction(request));
}

/** What came of it, for the end reason. A failure here must not hide the abort. */
async function takeBack(compensation: Compensation): Promise<string> {
  const results = await compensation.run();
  return results
    .map(({ error }) =>
      error === undefined
        ? ' (compensated)'
        : ` (the compensation failed: ${toFault(error, FailureType.ActionFailed).message})`,
    )
    .join('');
}
