import { LIMITS } from './limits';
import { shortText } from './short-text';
import { Unreadable } from './unreadable';

/** What an operator asks of a running workflow. `actor` is declared, not proven, unless a token says who it is. */
export interface OperatorCall {
  actor: string;
  /** why, for the record; 1 to 1,000 characters */
  reason: string;
  /** what the call is meant for: a pause, a decision; where that is over, the call is void */
  for?: string;
  /** whose work it is meant for, in a workflow that has several: the deployment's id */
  deploymentId?: string;
}

/** A call that has been carried out or found void; kept so that the same one does nothing twice. */
export interface HandledCall<R> {
  /** the Update's id */
  id: string;
  reply: R;
}

/**
 * Every fault in the shape of a call, as sentences; empty when it is well-formed. A signal can carry anything.
 *
 * @param needsFor whether the call must say what it is meant for
 */
export function shapeFaults(kind: string, call: unknown, needsFor: boolean): string[] {
  if (call instanceof Unreadable) {
    return [`Expected ${kind} to carry what can be read, got ${call.bytes} bytes: ${call.why}`];
  }
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return [
      `Expected ${kind} to carry an object like {"actor": "ann", "reason": "checked by hand"}, got ${describe(call)}`,
    ];
  }
  const { actor, reason, for: meantFor, deploymentId, ...others } = call as Record<string, unknown>;
  const faults = [...textFaults('actor', actor), ...textFaults('reason', reason)];
  if (meantFor !== undefined || needsFor) faults.push(...textFaults('for', meantFor));
  if (deploymentId !== undefined) faults.push(...textFaults('deploymentId', deploymentId));
  for (const key of Object.keys(others))
    faults.push(`Expected only actor, reason, for and deploymentId, got the key ${shortText(key)}`);
  return faults;
}

/** The reply given before to the same call, when its id was handled. */
export function earlierReply<R>({ handled }: { handled: readonly HandledCall<R>[] }, id: string): R | undefined {
  return handled.find((call) => call.id === id)?.reply;
}

function textFaults(name: string, value: unknown): string[] {
  if (typeof value !== 'string' || value.trim() === '')
    return [`Expected ${name} to be a text, got ${describe(value)}`];
  const most = LIMITS.operatorChars;
  if (value.length > most) return [`Expected ${name} to be at most ${most} characters, got ${value.length}`];
  return [];
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  return shortText(jsonOf(value) ?? typeof value, 80);
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return 'a value that is nested too deeply';
  }
}
