import { ApplicationFailure, CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { ActionRequest } from '../../activities/gate-activities';
import type { ActionContext, ActionSpec } from '../../gate/actions/action';
import { parseDuration } from '../../kernel/duration';
import { FailureType } from '../../kernel/failures';
import { isRetryable, lapsedLease, mayHaveBeenSent, toFault, unconfirmedLease } from './activity-errors';
import { remoteActivities } from './activity-proxies';
import type { GatePass } from '../../gate/deployments/gate-pass';
import type { StageGate } from './stage-gate';

/**
 * Runs a stage's action under its lease. The attempts are counted here and not by the server, because whether the lease
 * is still checked depends on how the attempt before ended (gate rules, section 6).
 *
 * @returns `lapsed` when the lease ended before a request was sent, or could not be confirmed at the last attempt: the
 *   stage must be decided anew
 * @throws ApplicationFailure ActionFailed after the last attempt, DeploymentAborted on an operator's abort; the action is
 *   compensated first where it may have been sent and says how
 */
export async function runStageAction(
  stage: StageGate,
  action: ActionSpec,
  context: ActionContext,
  pass: GatePass,
): Promise<'done' | 'lapsed'> {
  const options = stage.activities;
  const request: ActionRequest = {
    action,
    context,
    idempotencyKey: `${context.deployment_id}/${context.stage}`,
    ...(pass.lease?.release === undefined ? {} : { release: pass.lease.release }),
  };
  stage.actionStarted();
  let sent = false;
  for (let attempt = 1; ; attempt += 1) {
    let failure: unknown;
    try {
      await untilAborted(stage, () =>
        remoteActivities(options, 'action', `${action.type} for ${context.stage}`, { maximumAttempts: 1 }).runAction({
          ...request,
          ...(sent || pass.lease === undefined ? {} : { lease: pass.lease }),
        }),
      );
    } catch (error) {
      failure = error;
    }
    const lapsed = lapsedLease(failure);
    if (failure !== undefined && lapsed === undefined) sent ||= mayHaveBeenSent(failure);
    const abort = await stage.takeAbort();
    if (abort) {
      const remark = failure === undefined || sent ? await compensate(stage, request) : '';
      await stage.endAborted(abort, remark);
    }
    if (failure === undefined) return 'done';
    if (lapsed && pass.lease) {
      await stage.leaseLapsed(pass.lease, lapsed);
      return 'lapsed';
    }
    if (isCancellation(failure)) {
      if (sent) await compensate(stage, request);
      throw failure;
    }
    const unconfirmed = unconfirmedLease(failure);
    if (unconfirmed && pass.lease && attempt >= options.action.maximumAttempts) {
      await stage.leaseUnconfirmed(pass.lease, unconfirmed);
      return 'lapsed';
    }
    if (attempt >= options.action.maximumAttempts || !isRetryable(failure)) {
      const remark = sent ? await compensate(stage, request) : '';
      const { message } = toFault(failure, FailureType.ActionFailed);
      throw ApplicationFailure.nonRetryable(`${message}${remark}`, FailureType.ActionFailed);
    }
    await pauseBetweenAttempts(stage, attempt);
  }
}

/** Runs `act`, cancelled as soon as an operator's abort waits. */
async function untilAborted(stage: StageGate, act: () => Promise<unknown>): Promise<void> {
  await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    let ended = false;
    const watch = condition(() => ended || stage.abortAwaits).then(() => {
      if (!ended) scope.cancel();
    });
    watch.catch(() => undefined);
    try {
      await act();
    } finally {
      ended = true;
    }
  });
}

async function pauseBetweenAttempts(stage: StageGate, attempt: number): Promise<void> {
  const { initialInterval, maximumInterval } = stage.activities.action;
  const backoffMs = Math.min(parseDuration(maximumInterval), parseDuration(initialInterval) * 2 ** (attempt - 1));
  await untilAborted(stage, () => sleep(backoffMs)).catch((error: unknown) => {
    if (!stage.abortAwaits) throw error;
  });
}

/** Takes the action back where it says how; what came of it, for the end reason. A failure here must not hide the abort. */
async function compensate(stage: StageGate, request: ActionRequest): Promise<string> {
  const { action, context } = request;
  if (action.type !== 'http' || action.compensation === undefined) return '';
  const activities = remoteActivities(stage.activities, 'action', `compensate ${context.stage}`);
  try {
    await CancellationScope.nonCancellable(() => activities.compensateAction(request));
    return ' (compensated)';
  } catch (error) {
    return ` (the compensation failed: ${toFault(error, FailureType.ActionFailed).message})`;
  }
}
