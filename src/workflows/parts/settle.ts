import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { Outbox } from './outbox';

/**
 * Before a workflow closes: every caller has an answer, and every message is sent or given up. A cancellation does not
 * stop it.
 *
 * @param message the answer to calls that came too late
 */
export async function settle(
  { inbox, outbox }: { inbox: { close(message: string): void }; outbox: Outbox },
  message: string,
): Promise<void> {
  inbox.close(message);
  await outbox.flush();
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
}
