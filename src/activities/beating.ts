import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 1_000;

/**
 * Heartbeats while `act` runs, so that a cancellation reaches it and a dead worker is noticed.
 *
 * @param details what the next attempt finds, and whoever describes the workflow; read for each heartbeat @default nothing
 */
export async function beating<T>(act: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(details?.()), HEARTBEAT_MS);
  try {
    return await act(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
