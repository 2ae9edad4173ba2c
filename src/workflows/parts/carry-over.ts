import { allHandlersFinished, condition, workflowInfo } from '@temporalio/workflow';
import type { Outbox } from './outbox';
import { shouldContinueAsNew } from './should-continue-as-new';

export interface RollOver {
  /** continue as new beyond this many events, earlier than the server suggests */
  historyLimit?: number;
  inbox: { readonly isEmpty: boolean };
  outbox: Outbox;
  /** the last thing before the state is carried; a call that comes in meanwhile is carried out first */
  beforehand?(): Promise<void>;
  /** continues as new with the state carried, read only then; returns where it is not the time after all */
  continueAsNew(): Promise<void>;
}

/**
 * Continues as new when the history is long: after every message is sent and every handler has finished. A call that comes in
 * meanwhile is carried out first. Returns when it is not the time.
 */
export async function continueAsNewIfLong({
  historyLimit,
  inbox,
  outbox,
  beforehand,
  continueAsNew,
}: RollOver): Promise<void> {
  if (!shouldContinueAsNew(workflowInfo(), historyLimit)) return;
  // A receiver that hangs must not keep a call waiting.
  if (outbox.isIdle) await outbox.flush();
  else await condition(() => outbox.isIdle || !inbox.isEmpty);
  // The handler of a call that comes in now waits for the main line, which is here.
  await condition(() => allHandlersFinished() || !inbox.isEmpty);
  if (!allHandlersFinished()) return;
  await beforehand?.();
  if (!inbox.isEmpty || !allHandlersFinished() || !outbox.isIdle) return;
  await continueAsNew();
}
