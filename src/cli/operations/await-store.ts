import { setTimeout as sleep } from 'node:timers/promises';
import { FailureType, GateError } from '../../kernel/failures';

const FIRST_MS = 1_000;
const AT_MOST_MS = 30_000;

export interface StoreWait {
  /** tells a person, once for each reason */
  say(line: string): void;
  /** @default Node's; nothing else ends it, so that a process that waits ends at once on Ctrl-C */
  pause?(ms: number): Promise<unknown>;
}

/**
 * What `open` gives, which is tried again at growing intervals while the audit store cannot be reached. Any other error is
 * thrown.
 *
 * @param open leaves nothing open when it fails
 */
export async function awaitStore<T>(open: () => Promise<T>, { say, pause = sleep }: StoreWait): Promise<T> {
  let said = '';
  for (let everyMs = FIRST_MS; ; everyMs = Math.min(2 * everyMs, AT_MOST_MS)) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof GateError && error.type === FailureType.AuditUnavailable)) throw error;
      if (error.message !== said) say(`${error.message}; waiting for it`);
      said = error.message;
      await pause(everyMs);
    }
  }
}
