import { messageOf } from '../../kernel/message-of';
import { GateError } from '../../kernel/failures';
import { placedMessage } from '../../kernel/fault-text';

/** One thing that a look at a running system found. */
export interface Finding {
  /** `missing`: deployments cannot continue with it; `note`: worth knowing */
  state: 'ok' | 'note' | 'missing';
  /** the subject: `node`, `settings`, `release`, `workers`, … */
  what: string;
  /** what was found, or the fault that kept it from being found */
  found: string;
  /** what to do about it */
  advice?: string;
}

/** A finding without which deployments cannot continue, with what to do about it. */
export function missing(what: string, found: string, advice: string): Finding {
  return { state: 'missing', what, found, advice };
}

/**
 * The value of `act`, or its error in one line with every fault: what cannot be read is a finding, never an error. It says how
 * long was waited for it, where that was a second or more.
 */
export async function attempt<T>(act: () => Promise<T>): Promise<{ value: T } | { error: string }> {
  const startedMs = performance.now();
  try {
    return { value: await act() };
  } catch (error) {
    const faults = error instanceof GateError ? error.faults.map(placedMessage) : [];
    const text = faults.length > 0 ? faults.join('; ') : messageOf(error);
    const waited = Math.round((performance.now() - startedMs) / 1000);
    return { error: waited < 1 || / within \d+ s\b/.test(text) ? text : `${text} (waited ${waited} s)` };
  }
}
