import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import { messageOf } from '../../kernel/message-of';
import type { LapsedLease } from '../../gate/decisions/lease';
import { FailureType, type Fault } from '../../kernel/failures';
import type { SnapshotFailure } from '../../gate/facts/snapshot';

/** The ApplicationFailure that an activity ended with, if it was one. Across the boundary classes are gone. */
function applicationFailure(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure ? cause : undefined;
}

export function failureType(error: unknown): string | undefined {
  return applicationFailure(error)?.type ?? undefined;
}

/** What was found before a collection failed; absent when the activity never answered (a time-out). */
export function snapshotFailure(error: unknown): SnapshotFailure | undefined {
  const detail = applicationFailure(error)?.details?.[0] as SnapshotFailure | undefined;
  return typeof detail?.decisionId === 'string' ? detail : undefined;
}

export function lapsedLease(error: unknown): LapsedLease | undefined {
  const failure = applicationFailure(error);
  return failure?.type === FailureType.LeaseLapsed ? (failure.details?.[0] as LapsedLease) : undefined;
}

/** The fault when an action's worker could not tell whether its allow still holds, and so sent nothing. */
export function unconfirmedLease(error: unknown): Fault | undefined {
  const isUnconfirmed = failureType(error) === FailureType.PolicyUnavailable && !mayHaveBeenSent(error);
  return isUnconfirmed ? toFault(error, FailureType.PolicyUnavailable) : undefined;
}

/** Whether the receiver may have got the action's request: unless the activity says no, it may (a time-out counts as sent). */
export function mayHaveBeenSent(error: unknown): boolean {
  const detail = applicationFailure(error)?.details?.[0] as { mayHaveBeenSent?: boolean } | undefined;
  return detail?.mayHaveBeenSent !== false;
}

/** Whether the activity was cancelled before a worker took it: one that was taken says whether it may have sent something. */
export function isUntaken(error: unknown): boolean {
  return isCancellation(error) && applicationFailure(error) === undefined;
}

/** The HTTP status that an attempt at an action ended with, when there was one. */
export function statusOf(error: unknown): number | undefined {
  const faults = applicationFailure(error)?.details?.[1] as readonly Fault[] | undefined;
  return Array.isArray(faults)
    ? (faults as readonly Fault[]).find(({ status }) => status !== undefined)?.status
    : undefined;
}

export function isRetryable(error: unknown): boolean {
  return applicationFailure(error)?.nonRetryable !== true;
}

/** Whether the activity gave no answer: its time was up, or its worker died. */
export function isTimeOut(error: unknown): boolean {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
}

/** Whether the attempt was lost with its worker, which died or hung: it gave no heartbeat in time. */
export function isLostWithWorker(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'HEARTBEAT';
}

/** The failure as a fault of `type`, whatever it was: a step that timed out is a fault as well. */
export function toFault(error: unknown, type: FailureType): Fault {
  const failure = applicationFailure(error);
  if (failure) {
    const known = Object.values(FailureType).find((name) => name === failure.type);
    return { type: known ?? type, message: failure.message };
  }
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure)
    return { type, message: `Expected an answer in time, got none: ${cause.message}` };
  return { type, message: messageOf(cause) };
}
