import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { messageOf } from '../kernel/message-of';
import type { FailureType } from '../kernel/failures';
import { GateError, NON_RETRYABLE_FAILURES } from '../kernel/failures';
import { boundedFaults } from '../kernel/bounded-faults';
import { LIMITS } from '../kernel/limits';
import { shortText } from '../kernel/short-text';

/** Fields that some errors add, for the workflow to act upon. */
interface Extras {
  failure?: unknown;
  mayHaveBeenSent?: boolean;
  retryable?: boolean;
}

/**
 * The one place where the product's errors become Temporal's. First detail: what was found (a SnapshotFailure, a lapsed
 * lease, whether a request may have been sent); second: the faults. Errors of other kinds pass unchanged and are retried.
 * Messages and faults are bounded: what is thrown is stored in the history, and a source's words can be of any length.
 */
export function toApplicationFailure(error: unknown, detail?: unknown): unknown {
  if (!(error instanceof GateError)) return error;
  const { failure, mayHaveBeenSent, retryable } = error as GateError & Extras;
  const first = detail ?? failure ?? (mayHaveBeenSent === undefined ? null : { mayHaveBeenSent });
  return ApplicationFailure.create({
    type: error.type,
    message: shortText(error.message, LIMITS.failureChars),
    nonRetryable: retryable === undefined ? NON_RETRYABLE_FAILURES.includes(error.type) : !retryable,
    details: [first, boundedFaults(error.faults)],
    cause: shortCause(error.cause),
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
      message: shortText(messageOf(error), LIMITS.failureChars),
      cause: shortCause(error),
    });
  }
}

/** How many causes of a failure are kept. */
const MOST_CAUSES = 5;

/** An error with its causes, as it is where all of them are short: else a copy, cut. */
function shortCause(error: unknown, depth = 0): Error | undefined {
  if (!(error instanceof Error) || depth >= MOST_CAUSES) return undefined;
  const cause = shortCause(error.cause, depth + 1);
  const stack = error.stack ?? '';
  const most = LIMITS.failureChars;
  if (error.message.length <= most && stack.length <= 2 * most && cause === error.cause) return error;
  const copy = new Error(shortText(error.message, most), cause === undefined ? {} : { cause });
  copy.name = error.name;
  copy.stack = shortText(stack, 2 * most);
  return copy;
}
