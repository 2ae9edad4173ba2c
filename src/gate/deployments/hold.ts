import type { OperatorCall } from '../../kernel/operator-call';
import { parseDuration } from '../../kernel/duration';
import { PAUSED_BY_OPERATOR } from '../../kernel/pause';
import { shortText } from '../../kernel/short-text';
import { derivedId } from '../../kernel/derived-id';
import type { JsonObject } from '../../kernel/json';
import { GATE_ACTOR, type Act } from './act-record';
import { isFinal, type DeploymentStatus, type Hold, type Pause, type StageProgress } from './deployment-state';

/**
 * The pause that a call asks for. Its time counts from the call's acceptance.
 *
 * @param id of its record
 */
export function beginHold(id: string, { actor, reason, duration }: OperatorCall, nowMs: number): Hold {
  const until = duration === undefined ? {} : { untilMs: nowMs + parseDuration(duration) };
  return { id, actor, reason, startedAtMs: nowMs, ...until };
}

/** What of a deployment's progress tells whether it is held. */
export interface HeldProgress {
  readonly hold?: Hold;
  readonly state: DeploymentStatus['state'];
  readonly stages: readonly StageProgress[];
  readonly stageIndex: number;
}

/**
 * Whether a pause on demand keeps the deployment where it is. One that was asked for while an action runs begins to when the
 * action has ended: it cancels none.
 */
export function isHeld({ hold, state, stages, stageIndex }: HeldProgress): boolean {
  return hold !== undefined && !isFinal(state) && state !== 'acting' && stages[stageIndex]?.state !== 'done';
}

/** `by ann until 2026-11-27T12:00:00.000Z: maintenance` */
export function holdText({ actor, reason, untilMs }: Hold): string {
  const until = untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`;
  return `by ${actor}${until}: ${shortText(reason)}`;
}

/** The answer to a call that was accepted, with what it means where the deployment is. */
export function heldMessage({ hold, stage }: DeploymentStatus, replaced: Hold | undefined): string {
  const until =
    hold?.untilMs === undefined ? 'until an operator resumes' : `until ${new Date(hold.untilMs).toISOString()}`;
  const instead = replaced === undefined ? '' : `, in place of the pause by ${replaced.actor}`;
  return hold?.afterAction
    ? `Paused ${until}${instead}: the action of stage ${stage} goes on, and nothing is decided after it`
    : `Paused ${until}${instead}: stage ${stage} is not decided, and its action does not begin`;
}

/** As what tells people of pauses takes it. */
export function holdAsPause({ id, startedAtMs }: Hold): Pause {
  const told = { remindersSent: 1, nextReminderAtMs: Infinity, recovered: false };
  return { id, reason: PAUSED_BY_OPERATOR, faults: [], startedAtMs, decisionId: '', ...told };
}

type HoldAct = Pick<Act, 'id' | 'kind' | 'atMs' | 'actor' | 'reason' | 'refersTo' | 'details'>;

/** The record of the call, which is that of the pause too: its actor is the operator. */
export function holdAct({ id, actor, reason, startedAtMs, untilMs }: Hold, meantFor?: string): HoldAct {
  const details: JsonObject = {
    pausedOn: PAUSED_BY_OPERATOR,
    ...(untilMs === undefined ? {} : { until: new Date(untilMs).toISOString() }),
  };
  return { id, kind: 'pause', atMs: startedAtMs, actor, reason, details, ...(meantFor ? { refersTo: meantFor } : {}) };
}

/** The record of its end. The id follows from the pause, which ends once. */
export function holdEndedAct({ id, startedAtMs }: Hold, atMs: number, reason: string): HoldAct {
  const details: JsonObject = { pausedOn: PAUSED_BY_OPERATOR, startedAt: new Date(startedAtMs).toISOString() };
  return { id: derivedId('resolved', id), kind: 'resolved', atMs, actor: GATE_ACTOR, reason, refersTo: id, details };
}
