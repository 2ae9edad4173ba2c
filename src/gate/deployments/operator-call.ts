import { isFinal, type CarriedGate, type DeploymentStatus, type OperatorReply } from './deployment-state';

/** What an operator asks for. `actor` is declared, not proven, unless a token says who it is. */
export interface OperatorCall {
  actor: string;
  reason: string;
  /** the pause (resume) or decision (override) that it is meant for; an abort may leave it out */
  for?: string;
}

export const OperatorCallKind = { resume: 'resume', abort: 'abort', override: 'override' } as const;
export type OperatorCallKind = (typeof OperatorCallKind)[keyof typeof OperatorCallKind];

const MAX_TEXT = 1000;

/** Every fault in the shape of a call, as sentences; empty when it is well-formed. Anything may come in from a signal. */
export function callFaults(kind: OperatorCallKind, call: unknown): string[] {
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return [
      `Expected ${kind} to carry an object like {"actor": "ann", "reason": "checked by hand"}, got ${describe(call)}`,
    ];
  }
  const { actor, reason, for: meantFor, ...others } = call as Record<string, unknown>;
  const faults = [...textFaults('actor', actor), ...textFaults('reason', reason)];
  if (meantFor !== undefined || kind !== 'abort') faults.push(...textFaults('for', meantFor));
  for (const key of Object.keys(others)) faults.push(`Expected only actor, reason and for, got the key ${key}`);
  return faults;
}

/** Why a well-formed call does not fit the state it finds, or undefined when it does. */
export function misfit(kind: OperatorCallKind, call: OperatorCall, status: DeploymentStatus): string | undefined {
  const found = `deployment ${status.deploymentId} is ${status.state} at stage ${status.stage}`;
  if (isFinal(status.state)) return `Cannot ${kind}: ${found}`;
  switch (kind) {
    case 'resume':
      if (status.pause === undefined) return `Cannot resume: ${found}, not paused`;
      if (call.for !== status.pause.id) {
        return `Cannot resume: the call is meant for pause ${call.for}, but ${found} on pause ${status.pause.id}`;
      }
      return undefined;
    case 'override':
      if (status.state !== 'waiting' && status.state !== 'paused') return `Cannot override: ${found}`;
      if (call.for !== status.lastDecision?.decisionId) {
        return `Cannot override: the call is meant for decision ${call.for}, but the newest is ${status.lastDecision?.decisionId ?? 'none'}; ${found}`;
      }
      return undefined;
    case 'abort':
      if (call.for !== undefined && call.for !== status.pause?.id && call.for !== status.lastDecision?.decisionId) {
        return `Cannot abort: the call is meant for ${call.for}, but ${found} on ${status.pause?.id ?? status.lastDecision?.decisionId ?? 'no decision yet'}`;
      }
      return undefined;
    default:
      return kind satisfies never;
  }
}

/** The reply given before to the same call, when its id was handled. */
export function earlierReply(carried: Pick<CarriedGate, 'handled'>, id: string): OperatorReply | undefined {
  return carried.handled.find((handled) => handled.id === id)?.reply;
}

function textFaults(name: string, value: unknown): string[] {
  if (typeof value !== 'string' || value.trim() === '')
    return [`Expected ${name} to be a text, got ${describe(value)}`];
  if (value.length > MAX_TEXT) return [`Expected ${name} to be at most ${MAX_TEXT} characters, got ${value.length}`];
  return [];
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
