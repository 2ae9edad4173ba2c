import { isDuration, parseDuration } from './duration';
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
  /** for how long it counts from its acceptance, such as `2h`; only where the kind of call has a time */
  duration?: string;
}

/** What a kind of call must or may say beside actor and reason. */
export interface CallShape {
  /** it must say what it is meant for */
  needsFor: boolean;
  /** it may say for how long; @default it may not */
  takesDuration?: boolean;
}

/** A call that has been carried out or found void; kept so that the same one does nothing twice. */
export interface HandledCall<R> {
  /** the Update's id */
  id: string;
  reply: R;
}

const LONGEST = '366d';

/** Every fault in the shape of a call, as sentences; empty when it is well-formed. A signal can carry anything. */
export function shapeFaults(kind: string, call: unknown, { needsFor, takesDuration = false }: CallShape): string[] {
  if (call instanceof Unreadable) {
    return [`Expected ${kind} to carry what can be read, got ${call.bytes} bytes: ${call.why}`];
  }
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return [
      `Expected ${kind} to carry an object like {"actor": "ann", "reason": "checked by hand"}, got ${describe(call)}`,
    ];
  }
  const { actor, reason, for: meantFor, deploymentId, ...rest } = call as Record<string, unknown>;
  const { duration, ...untimed } = rest;
  const others = takesDuration ? untimed : rest;
  const faults = [...textFaults('actor', actor), ...textFaults('reason', reason)];
  if (meantFor !== undefined || needsFor) faults.push(...textFaults('for', meantFor));
  if (deploymentId !== undefined) faults.push(...textFaults('deploymentId', deploymentId));
  if (takesDuration && duration !== undefined) faults.push(...durationFaults(duration));
  const keys = `actor, reason, for${takesDuration ? ', duration' : ''} and deploymentId`;
  for (const key of Object.keys(others)) faults.push(`Expected only ${keys}, got the key ${shortText(key)}`);
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

function durationFaults(value: unknown): string[] {
  if (typeof value !== 'string' || !isDuration(value))
    return [`Expected duration to be such as 45s or 2h, got ${describe(value)}`];
  return isCallDuration(value)
    ? []
    : [`Expected duration to be more than 0s and at most ${LONGEST}, got ${shortText(value, 80)}`];
}

/** Whether a call may count for so long: more than no time, at most a year. */
export function isCallDuration(text: string): boolean {
  try {
    const milliseconds = parseDuration(text);
    return milliseconds > 0 && milliseconds <= parseDuration(LONGEST);
  } catch {
    return false;
  }
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
