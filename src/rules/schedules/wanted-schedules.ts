import { canonicalJson } from '../../kernel/canonical-json';
import { EXECUTION_WORKFLOW } from '../../kernel/names';
import { pureSha256 } from '../../kernel/sha256';
import { shortText } from '../../kernel/short-text';
import type { Trigger } from '../document/rule-policy';
import { shortestIntervalMs, triggerText } from '../document/trigger';
import type { ExecutionQuestion } from '../execution/execution';
import type { PinnedPolicies } from '../execution/policy-source';
import { pauseOf, type SchedulePause } from './schedule-pause';

/** What a schedule starts. */
export interface ScheduledExecution {
  question: ExecutionQuestion;
  actor: string;
  reason: string;
}

/** A schedule as a domain wants it. */
export interface WantedSchedule {
  id: string;
  trigger: Trigger;
  /** what was due while nothing could run is made up for within this time, and no later */
  catchUpMs: number;
  /** the type of the workflow that it starts */
  workflowType: string;
  /** the input of that workflow */
  execution: object;
  paused: boolean;
  /** for people, with a digest of all the rest at its end: it tells a schedule that is as it should be from any other */
  note: string;
}

/** Who starts what a trigger started. */
export const SCHEDULE_ACTOR = 'schedule';

/** What of a schedule its digest tells. */
export type ScheduledWhat = Pick<WantedSchedule, 'id' | 'trigger' | 'catchUpMs' | 'execution'>;

const NOTE_CHARS = 300;
/** Temporal keeps notes as plain text, so no names or reasons are in them. */
const PAUSED = 'paused; gate rules list shows by whom and why';
/** A schedule made in another way than here gets another digest, and so is made again. */
const FORM = 1;
const DIGEST = /\[[0-9a-f]{16}\]$/;

/** The schedules of all policies with a trigger; those that are disabled or paused have one that is paused. */
export function wantedSchedules(
  { policies, pins }: PinnedPolicies,
  pauses: readonly SchedulePause[],
  prefix: string,
): WantedSchedule[] {
  return policies.flatMap(({ name, trigger, enabled, scope }): WantedSchedule[] => {
    const policyId = pins.get(name)?.policyId;
    if (trigger === undefined || policyId === undefined) return [];
    const { operation } = scope;
    const question = { policies: [name], ...(operation === undefined ? {} : { operation }) };
    const execution: ScheduledExecution = {
      question,
      actor: SCHEDULE_ACTOR,
      reason: `${name} runs ${triggerText(trigger)}`,
    };
    const what = { id: `${prefix}${policyId}`, trigger, catchUpMs: shortestIntervalMs(trigger), execution };
    const isPaused = pauseOf(pauses, policyId) !== undefined;
    const why = isPaused ? PAUSED : enabled ? triggerText(trigger) : 'the policy is disabled';
    const workflowType = EXECUTION_WORKFLOW;
    return [{ ...what, workflowType, paused: isPaused || !enabled, note: scheduleNote(why, what) }];
  });
}

/** @param why a sentence without names and reasons of people: Temporal keeps notes as plain text */
export function scheduleNote(why: string, what: ScheduledWhat): string {
  const digest = pureSha256(canonicalJson({ ...what, FORM })).slice(0, 16);
  return `${shortText(why, NOTE_CHARS)} [${digest}]`;
}

/** Whether a note was written here, and not by a person in Temporal. */
export function isOwnNote(note: string | undefined): boolean {
  return note !== undefined && DIGEST.test(note);
}
