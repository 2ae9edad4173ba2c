import type { Incident } from '../../alerts/incident';
import { DeploymentEnd } from '../../audit/ends';
import type { HandledCall } from '../../kernel/operator-call';
import type { Pause as BasicPause } from '../../kernel/pause';
import type { GatePass } from './gate-pass';
import type { LookDetails, Looks } from './looks';
import type { Look, RecordedDecision } from './recorded-decision';

/**
 * The state of a gated stage, and of its deployment. Public: `gate status`, `list` and `deploy` show it, and the `status`
 * query; the final ones are the ends that records tell.
 */
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
  /** the workflow was terminated in Temporal */
  terminated: 'terminated',
  /** Temporal ended the workflow at a time-out */
  timedOut: 'timed-out',
} as const;
export type GateState = (typeof GateState)[keyof typeof GateState];

const FINAL: readonly GateState[] = Object.values(DeploymentEnd);

/** Whether a deployment in this state has ended. */
export function isFinal(state: GateState): boolean {
  return FINAL.includes(state);
}

/** A pause of a stage, or of the whole deployment while the audit store is down. */
export interface Pause extends BasicPause {
  /** the decision that found it */
  decisionId: string;
}

/** A pause that an operator asked for: nothing is decided, and no action begins, until it ends. */
export interface Hold {
  /** also of its record; a resume names it */
  id: string;
  actor: string;
  reason: string;
  /** epoch milliseconds: when the call was accepted */
  startedAtMs: number;
  /** epoch milliseconds; absent: until an operator resumes */
  untilMs?: number;
}

/** An action of which a request may have left, and that an operator must decide about. */
export interface InterruptedAction {
  /** what it began under, and is tried again under */
  pass: GatePass;
  /** epoch milliseconds */
  startedAtMs: number;
  attempts: number;
  /** of the newest attempts, null for one without an answer */
  statuses: (number | null)[];
}

/** The answer to an operator's call: whether it took effect, and the state that it left. */
export interface OperatorReply {
  kind: 'resume' | 'abort' | 'override' | 'pause';
  /** false: void, nothing was changed */
  accepted: boolean;
  /** one sentence for the operator */
  message: string;
  /** the state that the call left */
  state: GateState;
  /** the present stage */
  stage: string;
  /** the decision that the call was meant for or led to */
  decisionId?: string;
}

/** The newest version of `CarriedGate`. This release reads every version up to it. */
export const CARRIED_VERSION = 2;

/**
 * What a gate carries through continue-as-new. It has version 2 only while it holds what a worker of an earlier release
 * must not lose: such a worker then leaves the deployment alone.
 */
export interface CarriedGate {
  version: 1 | typeof CARRIED_VERSION;
  handled: HandledCall<OperatorReply>[];
  /** what could not be accepted from signals, newest last */
  notes: string[];
  stages: StageProgress[];
  stageIndex: number;
  pause?: Pause;
  /** version 2 */
  hold?: Hold;
  /** version 2 */
  interrupted?: InterruptedAction;
  /** what people are told of the stage's trouble; absent in what an earlier release carried */
  incident?: Incident;
  lastDecision?: RecordedDecision;
  /** what a recheck found since the last decision, where that is something else */
  lastLook?: Look;
  /** what the recheck of the present wait counted */
  looks?: Looks;
  /** when the present stage was first denied: `giveUpAfter` counts from here */
  deniedSinceMs?: number;
  /** in a row, within the present stage */
  leaseLapses: number;
  /** search attributes as last written, by name */
  shownAttributes: [string, string | null][];
}

/** How far one stage is, and the outcome of its newest decision. */
export interface StageProgress {
  name: string;
  /** `unknown` where the workflow is closed and no worker answers */
  state: 'pending' | 'unknown' | GateState;
  /** of its newest decision, and `override` in a status where an operator overrode it; absent before the first */
  outcome?: 'allow' | 'deny' | 'error' | 'override';
  /** an operator allowed it in spite of its decision */
  overridden?: boolean;
}

/** How a stage is looked at while it waits or is paused. Times are epoch milliseconds. */
export interface Recheck {
  /** since when these looks are made */
  sinceMs: number;
  /** the interval at first */
  everyMs: number;
  /** the interval doubles up to this */
  atMostMs: number;
  /** the pending activity that looks */
  activityId: string;
}

/** A recheck as Temporal has it between two looks: what `gate status` adds to the answer of the query. */
export interface PendingLooks extends LookDetails {
  /** epoch milliseconds; absent while a look is under way, or while rechecks are paused */
  nextAtMs?: number;
  /** the worker that looked last */
  worker?: string;
  /** the activity is paused in Temporal, so that nothing is looked at */
  paused?: { by?: string; reason?: string };
}

/** One of several stages that are open at the same time. */
export interface OpenStage {
  stage: string;
  state: GateState;
  /** the pause that a resume names */
  pauseId?: string;
  /** its reason */
  pausedOn?: string;
  /** the newest decision, which an override names */
  decisionId?: string;
}

/** The answer of the query `status`: the state of a deployment, its stages, and what it waits for. */
export interface DeploymentStatus {
  deploymentId: string;
  /** of a workflow of other people that writes no search attributes: calls must name it */
  workflowId?: string;
  state: GateState;
  /** name of the present stage */
  stage: string;
  /** 0-based place of the present stage */
  stageIndex: number;
  stages: StageProgress[];
  /** a pause on demand, beside the present pause and before it; `afterAction`: it begins when the action has ended */
  hold?: Hold & { afterAction?: true };
  /** the present pause */
  pause?: Pause;
  /** the alert about the stage's trouble, which outlasts a pause until the stage has stayed healthy */
  incident?: Incident;
  /** the newest decision, of any stage */
  lastDecision?: RecordedDecision;
  /** what a recheck found since then, where that is something else */
  lastLook?: Look;
  /** how the stage is looked at while it waits or is paused */
  recheck?: Recheck;
  /** what Temporal knows of it; only where Temporal was asked as well */
  pendingLooks?: PendingLooks;
  /** epoch milliseconds; absent when nothing is scheduled */
  nextAskAtMs?: number;
  /** where several stages are open at once, each of them; what is said above is of the present one */
  openStages?: OpenStage[];
  /** why it ended, for denied, aborted and failed */
  endReason?: string;
}

/** Why it waits and what would unblock it. */
export interface Explanation {
  deploymentId: string;
  stage: string;
  state: GateState;
  /** the state in one sentence */
  summary: string;
  /** deny reasons, or one sentence a fault */
  why: string[];
  /** the reasons of a denial that is an error, because something was missing while it was worked out */
  wouldDeny?: string[];
  /** those that the evaluation looked at first */
  facts: RecordedDecision['facts'];
  /** what would let the deployment continue, a sentence each */
  unblock: string[];
  /** epoch milliseconds; absent when nothing is scheduled */
  nextAskAtMs?: number;
  /** how often it was looked at since when, by which worker; a sentence each */
  looks?: string[];
  /** signals that could not be accepted, newest last */
  notes: string[];
}
