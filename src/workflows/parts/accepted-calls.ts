import { CancellationScope } from '@temporalio/workflow';
import { passes } from './patches';

/** Runs that pass it stop as soon as they are told to, and take back only what may have been sent. */
const ACCEPTED_PATCH = 'accepted-calls';

/**
 * Whether this run does what an accepted call says whatever happened since. To be asked only where such a call, or a
 * cancellation, has come: a run that gets none has no marker in its history.
 */
export function holdsAcceptedCalls(): boolean {
  return passes(ACCEPTED_PATCH);
}

/** Whether Temporal has cancelled the workflow, or the caller its own scope. */
export function isCancelled(): boolean {
  return CancellationScope.current().consideredCancelled;
}

/** Whether Temporal has cancelled the workflow, also in a scope that no cancellation reaches. */
export function isWorkflowCancelled(): boolean {
  let scope = CancellationScope.current();
  while (scope.parent !== undefined) scope = scope.parent;
  return scope.consideredCancelled;
}

/** Throws the cancellation that has come; returns at once where none has. */
export async function throwIfCancelled(): Promise<void> {
  if (isCancelled()) await CancellationScope.current().cancelRequested;
}

/** Runs `act` to its end although the workflow is cancelled meanwhile; what is thrown is thrown. */
export async function uninterrupted<T>(act: () => Promise<T>): Promise<T> {
  const { cancelRequested } = CancellationScope.current();
  return await CancellationScope.nonCancellable(async () => {
    const scope = new CancellationScope();
    // Runs of earlier releases gave up here.
    cancelRequested.catch(() => (holdsAcceptedCalls() ? undefined : scope.cancel()));
    return await scope.run(act);
  });
}
