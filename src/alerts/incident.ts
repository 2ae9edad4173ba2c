import { nextReminderAtMs, type ReminderIntervals } from '../kernel/pause';
import type { AlertLabels } from './alert-labels';
import type { AlertStatus } from './alert';

/**
 * One trouble, as people are told of it: it opens once, is reminded of at growing intervals, and is resolved once. Its
 * source may fail and answer as often as it likes meanwhile. Only `stepIncident` makes a new one.
 */
export interface Incident {
  /** the fingerprint of all of its messages */
  readonly id: string;
  /** fixed when it opens */
  readonly labels: AlertLabels;
  /** epoch milliseconds, as all times here */
  readonly startedAtMs: number;
  /** messages sent so far, the first included */
  readonly remindersSent: number;
  /** no message is sent before, but the one that resolves it */
  readonly nextReminderAtMs: number;
  /** since when nothing has been wrong; absent while something is */
  readonly healthySinceMs?: number;
}

/** How often an incident is reminded of, and how long nothing must be wrong until it is resolved. */
export interface IncidentTimes extends ReminderIntervals {
  resolveAfterMs: number;
}

/** What an earlier release has already told of the trouble. */
export type ToldBefore = Pick<Incident, 'startedAtMs' | 'remindersSent' | 'nextReminderAtMs'>;

export type IncidentEvent =
  /** something is wrong: opens an incident, or finds the open one in trouble; `told` opens it without a message */
  | { type: 'trouble'; id: string; labels: AlertLabels; told?: ToldBefore }
  /** nothing is wrong for the moment */
  | { type: 'healthy' }
  /** time has passed */
  | { type: 'time' }
  /** what the incident is about has ended */
  | { type: 'over' };

/** The message that a step asks for. What it says is up to the present state when it is made. */
export interface IncidentMessage {
  status: AlertStatus;
  /** 0 for the first one, then 1, 2, … */
  reminder: number;
  atMs: number;
}

export interface IncidentStep {
  /** absent when none is open after the step */
  incident?: Incident;
  message?: IncidentMessage;
}

/**
 * What becomes of an incident by one event. Total: an event that does not fit changes nothing. At most one message a
 * reminder interval, and none says that something is wrong while nothing is.
 *
 * @param nowMs the caller's clock, which never runs backwards
 */
export function stepIncident(
  incident: Incident | undefined,
  event: IncidentEvent,
  nowMs: number,
  times: IncidentTimes,
): IncidentStep {
  if (incident === undefined) return event.type === 'trouble' ? opened(event, nowMs, times) : {};
  switch (event.type) {
    case 'trouble':
      return remindedIfDue(inTrouble(incident), nowMs, times);
    case 'healthy':
      return { incident: incident.healthySinceMs === undefined ? { ...incident, healthySinceMs: nowMs } : incident };
    case 'over':
      return { message: resolved(incident, nowMs) };
    case 'time':
      if (incident.healthySinceMs === undefined) return remindedIfDue(incident, nowMs, times);
      return nowMs < wakeAtMs(incident, times) ? { incident } : { message: resolved(incident, nowMs) };
    default:
      return event satisfies never;
  }
}

/** When an incident needs a `time` event, unless something happens before. */
export function wakeAtMs({ healthySinceMs, nextReminderAtMs: reminderAtMs }: Incident, times: IncidentTimes): number {
  return healthySinceMs === undefined ? reminderAtMs : healthySinceMs + times.resolveAfterMs;
}

function opened(
  { id, labels, told }: Extract<IncidentEvent, { type: 'trouble' }>,
  nowMs: number,
  times: IncidentTimes,
): IncidentStep {
  if (told) return remindedIfDue({ id, labels, ...told }, nowMs, times);
  const incident = {
    id,
    labels,
    startedAtMs: nowMs,
    remindersSent: 1,
    nextReminderAtMs: nextReminderAtMs(nowMs, 1, times),
  };
  return { incident, message: { status: 'firing', reminder: 0, atMs: nowMs } };
}

function remindedIfDue(incident: Incident, nowMs: number, times: IncidentTimes): IncidentStep {
  if (nowMs < incident.nextReminderAtMs) return { incident };
  const remindersSent = incident.remindersSent + 1;
  return {
    incident: { ...incident, remindersSent, nextReminderAtMs: nextReminderAtMs(nowMs, remindersSent, times) },
    message: { status: 'firing', reminder: incident.remindersSent, atMs: nowMs },
  };
}

function resolved({ remindersSent }: Incident, atMs: number): IncidentMessage {
  return { status: 'resolved', reminder: remindersSent, atMs };
}

function inTrouble(incident: Incident): Incident {
  if (incident.healthySinceMs === undefined) return incident;
  const { healthySinceMs: _since, ...troubled } = incident;
  return troubled;
}
