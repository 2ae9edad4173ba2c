import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { Outbox } from './outbox';

/** A receiver that works takes a message within this time. */
const GRACE_MS = 3_000;

/**
 * Before a workflow closes: every caller has an answer, and every message is sent, given up, or handed over. A cancellation
 * does not stop it.
 *
 * @param message the answer to calls that came too late
 * @param handOver gives what receivers have not taken in a short time to someone who sends it on, the oldest first; without
 *   it the receivers are waited for
 */
export async function settle<M>(
  { inbox, outbox }: { inbox: { close(message: string): void }; outbox: Outbox<M> },
  message: string,
  handOver?: (unsent: M[]) => Promise<unknown>,
): Promise<void> {
  inbox.close(message);
  if (handOver === undefined) await outbox.flush();
  else if (!(await outbox.flushWithin(GRACE_MS)))
    await CancellationScope.nonCancellable(() => handOver(outbox.leave()));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}
