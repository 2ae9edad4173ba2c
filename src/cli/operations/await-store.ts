import { setTimeout as sleep } from 'node:timers/promises';
import { FailureType, GateError } from '../../kernel/failures';
import { isOutage } from '../../platform/database/store-error';

const FIRST_MS = 1_000;
const AT_MOST_MS = 30_000;

export interface StoreWait<T> {
  /** tells a person, once for each reason */
  say(line: string): void;
  /** ends the wait at once, also while `open` is under way */
  signal: AbortSignal;
  /** closes what was opened too late for anyone to use */
  close(late: T): unknown;
  /** @default Node's, which the signal ends */
  pause?(ms: number): Promise<unknown>;
}

/**
 * What `open` gives, which is tried again at growing intervals while the audit store is out of reach. Every other error is
 * thrown: a wrong password or an unknown database stays wrong.
 *
 * @param open leaves nothing open when it fails
 * @returns undefined when the signal aborted first
 */
export async function awaitStore<T>(open: () => Promise<T>, wait: StoreWait<T>): Promise<T | undefined> {
  const { say, signal, close } = wait;
  const pause = wait.pause ?? ((ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined));
  let said = '';
  for (let everyMs = FIRST_MS; !signal.aborted; everyMs = Math.min(2 * everyMs, AT_MOST_MS)) {
    try {
      return await unlessAborted(open(), signal, close);
    } catch (error) {
      if (!(error instanceof GateError && error.type === FailureType.AuditUnavailable && isOutage(error.cause)))
        throw error;
      if (error.message !== said) say(`${error.message}; waiting for it`);
      said = error.message;
      await pause(everyMs);
    }
  }
  return undefined;
}

/** What is being opened, or undefined as soon as the signal aborts; what comes later is closed. */
async function unlessAborted<T>(
  opening: Promise<T>,
  signal: AbortSignal,
  close: (late: T) => unknown,
): Promise<T | undefined> {
  let abort = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => (abort = () => resolve(undefined)));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const opened = await Promise.race([opening, aborted]);
    if (opened === undefined) opening.then(close).catch(() => undefined);
    return opened;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
