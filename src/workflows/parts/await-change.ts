import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { Waiting } from './await-call';
import type { QueuedCall } from './call-queue';
import { Recheck, type RecheckEnd, type RecheckWords } from './recheck';
import { rest } from './rest';
import { steadyNow } from './steady-now';

/** What ended a wait: an operator's call, a change that the recheck found (or its failure), the time, or something more important. */
export type WaitEnd<K extends string, R, C> =
  | { by: 'call'; call: QueuedCall<K, R> }
  | { by: 'change'; found: C }
  | { by: 'failure'; error: unknown }
  | { by: 'time' }
  | { by: 'interruption' };

/** A wait that looks for a change meanwhile, in the domain's words. */
export interface WaitingForChange<K extends string, R, C, L> extends Omit<
  Waiting<K, R>,
  'continueAsNewIfLong' | 'rests'
> {
  recheck: RecheckWords<C, L>;
  /**
   * What the wait ended by, before a call is recorded and before anything follows; `undefined` is a cancellation.
   *
   * @param counted what the recheck counted, where it has not ended by itself; undefined when that is unknown
   */
  ended(end: WaitEnd<K, R, C> | undefined, counted: L | undefined): Promise<unknown>;
  /**
   * Continues as new when the history is long and no call waits.
   *
   * @param read gives what the recheck counted, to be carried
   */
  continueAsNewIfLong(read: () => Promise<L | undefined>): Promise<void>;
  /** as for `Waiting`; what the recheck counted is to be carried then */
  rests?(isAwake: () => boolean, read: () => Promise<L | undefined>): () => void;
}

/**
 * Waits until an operator's call fits (recorded when it is returned), the recheck finds a change, or the time has come.
 * Timers run in the workflow beside the recheck, so that an activity which is paused or has no worker delays none of them.
 */
export async function awaitChange<K extends string, R, C, L>(
  waiting: WaitingForChange<K, R, C, L>,
): Promise<WaitEnd<K, R, C>> {
  const recheck = new Recheck(waiting.recheck);
  const close = async (end: WaitEnd<K, R, C> | undefined): Promise<void> => {
    const counted = recheck.end === undefined ? await recheck.read() : undefined;
    recheck.cancel();
    await waiting.ended(end, counted);
  };
  try {
    const end = await firstEnd(waiting, recheck);
    await close(end);
    if (end.by === 'call') await waiting.record(end.call);
    return end;
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => close(undefined));
    else recheck.cancel();
    throw error;
  }
}

async function firstEnd<K extends string, R, C, L>(
  waiting: WaitingForChange<K, R, C, L>,
  recheck: Recheck<C, L>,
): Promise<WaitEnd<K, R, C>> {
  const { inbox, pauses, untilMs, interrupted = () => false } = waiting;
  for (;;) {
    const call = inbox.takeFitting();
    if (call) return { by: 'call', call };
    if (interrupted()) return { by: 'interruption' };
    if (recheck.end) return endOf(recheck.end);
    await waiting.continueAsNewIfLong(() => recheck.read());
    if (steadyNow() >= untilMs) return { by: 'time' };
    // Signals that are only noted leave the inbox empty and let the history grow, up to where the server terminates the run.
    const wasLong = workflowInfo().continueAsNewSuggested;
    const isAwake = (): boolean =>
      !inbox.isEmpty ||
      interrupted() ||
      recheck.end !== undefined ||
      (!wasLong && workflowInfo().continueAsNewSuggested);
    const wakeAtMs = Math.min(untilMs, pauses.nextReminderAtMs);
    await rest(isAwake, wakeAtMs, (awake) => waiting.rests?.(awake, () => recheck.read()) ?? (() => undefined));
    pauses.remindIfDue();
  }
}

function endOf<C>(end: RecheckEnd<C>): { by: 'change'; found: C } | { by: 'failure'; error: unknown } {
  return 'found' in end ? { by: 'change', found: end.found } : { by: 'failure', error: end.error };
}
