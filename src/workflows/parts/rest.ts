import { condition } from '@temporalio/workflow';
import { steadyNow } from './steady-now';

/**
 * Told that somebody rests: until the returned function is called, their state can be carried over by somebody else, unless
 * `isAwake` says that something has come in meanwhile.
 */
export type NoteRest = (isAwake: () => boolean) => () => void;

/** Waits until `isAwake`, or until the time: epoch milliseconds, Infinity for none. */
export async function rest(isAwake: () => boolean, wakeAtMs: number, note?: NoteRest): Promise<void> {
  const rises = note?.(isAwake);
  try {
    if (wakeAtMs === Infinity) await condition(isAwake);
    else await condition(isAwake, Math.max(1, wakeAtMs - steadyNow()));
  } finally {
    rises?.();
  }
}
