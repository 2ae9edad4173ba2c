import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import type { FailureType } from '../kernel/failures';
import { GateError, NON_RETRYABLE_FAILURES } from '../kernel/failures';

/** Fields that some errors add, for the workflow to act upon. */
interface Extras {
  failure?: unknown;
  mayHaveBeenSent?: boolean;
  retryable?: boolean;
}

/**
 * The one place where the product's errors become Temporal's. First detail: what was found (a SnapshotFailure, a lapsed
 * lease, whether a request may have been sent); second: the faults. Errors of other kinds pass unchanged and are retried.
 */
export function toApplicationFailure(error: unknown, detail?: unknown): unknown {
  if (!(error instanceof GateError)) return error;
  const { failure, mayHaveBeenSent, retryable } = error as GateError & Extras;
  const first = detail ?? failure ?? (mayHaveBeenSent === undefined ? null : { mayHaveBeenSent });
  return ApplicationFailure.create({
    type: error.type,
    message: error.message,
    nonRetryable: retryable === undefined ? NON_RETRYABLE_FAILURES.includes(error.type) : !retryable,
    details: [first, error.faults],
    cause: error.cause instanceof Error ? error.cause : undefined,
  });
}

/** Runs `act`, its errors translated; an unknown error of a step counts as `fallback` so that no step fails without a type. */
export async function translated<T>(fallback: FailureType, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof GateError) throw toApplicationFailure(error);
    // Temporal's own say already what they are: a lapsed lease, a changed release, a cancellation.
    if (error instanceof TemporalFailure) throw error;
    throw ApplicationFailure.create({
      type: fallback,
      message: error instanceof Error ? error.message : String(error),
      cause: error instanceof Error ? error : undefined,
    });
  }
}
