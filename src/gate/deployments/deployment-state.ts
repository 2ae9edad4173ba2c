import type { RecordedDecision } from './recorded-decision';
import type { Fault } from '../../kernel/failures';

/** Where a gated stage stands. Public: `gate status` and the `status` query show it. */
export const GateState = {
  /** facts are collected, a decision is made or recorded */
  deciding: 'deciding',
  /** denied for now; asks again */
  waiting: 'waiting',
  /** no decision could be made; an operator or fresh facts are awaited */
  paused: 'paused',
  /** the stage's action runs */
  acting: 'acting',
  done: 'done',
  denied: 'denied',
  aborted: 'aborted',
  failed: 'failed',
} as const;
export type GateState = (typeof GateState)[keyof typeof GateState];

export function isFinal(state: GateState): boolean {
  return state === 'done' || state === 'denied' || state === 'aborted' || state === 'failed';
}

/** One pause: begins with an error, ends by an operator, by fresh facts under autoResume, or with the deployment. */
export interface Pause {
  /** also the alert's fingerprint; an operator's call names it */
  id: string;
  /** failure type */
  reason: string;
  faults: Fault[];
  decisionId: string;
  startedAtMs: number;
  /** messages sent so far, the first included */
  remindersSent: number;
  nextReminderAtMs: number;
  /** the newest decision found every fact fresh again; only an operator is awaited */
  recovered: boolean;
}

/** An operator's call that has been carried out or found void; kept so that the same one does nothing twice. */
export interface HandledCall {
  id: string;
  reply: OperatorReply;
}

export interface OperatorReply {
  kind: 'resume' | 'abort' | 'override';
  /** false: void, nothing was changed */
  accepted: boolean;
  /** one sentence for the operator */
  message: string;
  state: GateState;
  stage: string;
  decisionId?: string;
}

/** What a gate carries through continue-as-new. The version is raised when the shape changes. */
export interface CarriedGate {
  version: 1;
  handled: HandledCall[];
  /** what could not be accepted from signals, newest last */
  notes: string[];
  stages: StageProgress[];
  stageIndex: number;
  pause?: Pause;
  lastDecision?: RecordedDecision;
  /** when the present stage was first denied: `giveUpAfter` counts from here */
  deniedSinceMs?: number;
  /** in a row, within the present stage */
  leaseLapses: number;
  /** search attributes as last written, by name */
  shownAttributes: [string, string | null][];
}

export interface StageProgress {
  name: string;
  state: 'pending' | GateState;
  outcome?: 'allow' | 'deny' | 'error';
  overridden?: boolean;
}

export interface DeploymentStatus {
  deploymentId: string;
  state: GateState;
  stage: string;
  stageIndex: number;
  stages: StageProgress[];
  pause?: Pause;
  lastDecision?: RecordedDecision;
  /** epoch milliseconds; absent when nothing is scheduled */
  nextAskAtMs?: number;
  /** why it ended, for denied, aborted and failed */
  endReason?: string;
}

/** Why it waits and what would unblock it. */
export interface Explanation {
  deploymentId: string;
  stage: string;
  state: GateState;
  summary: string;
  /** deny reasons, or one sentence a fault */
  why: string[];
  facts: RecordedDecision['facts'];
  unblock: string[];
  nextAskAtMs?: number;
  notes: string[];
}
