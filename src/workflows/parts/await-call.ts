import { CancellationScope, condition } from '@temporalio/workflow';
import type { CallQueue, QueuedCall } from './call-queue';
import { rest, type NoteRest } from './rest';
import { steadyNow } from './steady-now';

export interface Waiting<K extends string, R> {
  inbox: CallQueue<K, R>;
  pauses: { readonly nextReminderAtMs: number; remindIfDue(): void };
  /** epoch milliseconds; Infinity waits for a call alone */
  untilMs: number;
  /** whether something else has become more important; @default nothing does */
  interrupted?(): boolean;
  /** stores the record of a call before it is carried out */
  record(queued: QueuedCall<K, R>): Promise<unknown>;
  continueAsNewIfLong(): Promise<void>;
  /** told of each rest, where others carry the state over */
  rests?: NoteRest;
}

/** Waits until an operator's call fits (recorded when it is returned), or the time has come or it is interrupted (undefined). */
export async function awaitCall<K extends string, R>(waiting: Waiting<K, R>): Promise<QueuedCall<K, R> | undefined> {
  const { inbox, pauses, untilMs, interrupted = () => false } = waiting;
  const isAwake = (): boolean => !inbox.isEmpty || interrupted();
  for (;;) {
    const call = inbox.takeFitting();
    if (call) {
      await waiting.record(call);
      return call;
    }
    await waiting.continueAsNewIfLong();
    if (steadyNow() >= untilMs || interrupted()) return undefined;
    const wakeAtMs = Math.min(untilMs, pauses.nextReminderAtMs);
    await rest(isAwake, wakeAtMs, waiting.rests);
    pauses.remindIfDue();
  }
}

/**
 * Runs `act`, cancelled as soon as an urgent call waits.
 *
 * @param mayCancel asked once, when such a call has come: whether this run may cancel; @default it may
 */
export async function untilUrgent<T>(
  inbox: { readonly urgentAwaits: boolean },
  act: () => Promise<T>,
  mayCancel: () => boolean = () => true,
): Promise<T> {
  return await CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    let ended = false;
    const watch = condition(() => ended || inbox.urgentAwaits).then(() => {
      if (!ended && mayCancel()) scope.cancel();
    });
    watch.catch(() => undefined);
    try {
      return await act();
    } finally {
      ended = true;
    }
  });
}
