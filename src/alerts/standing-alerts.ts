import { nextReminderAtMs, type ReminderIntervals } from '../kernel/pause';
import type { Alert } from './alert';
import { alertLabels, type AlertLabels } from './alert-labels';

/** What is wrong with a release, an evaluator or a workflow, as far as people have been told of it. */
export interface StandingAlert {
  /** the newest message; `resolved` where receivers have not taken that yet */
  alert: Alert;
  /** 0 until the first one was taken */
  messagesSent: number;
  /** epoch milliseconds */
  nextMessageAtMs: number;
}

/** Outlives a process, so that the next one resolves what this one leaves firing. */
export interface AlertMemory {
  /** what was left, in any order */
  load(): Promise<StandingAlert[]>;
  /** durable when it resolves */
  put(standing: StandingAlert): Promise<void>;
  remove(fingerprint: string): Promise<void>;
}

export interface StandingAlertsOptions {
  /** the dispatcher's */
  send(alert: Alert): Promise<void>;
  /** the dispatcher's: tells those receivers that know what fires; @default no one */
  settle?(alert: Alert): Promise<void>;
  /** the labels of an alert, fixed when it begins; @default the product's own */
  labels?(alert: Alert): AlertLabels;
  nowMs(): number;
  /** told of a message that was not taken; it is sent again with the next `remind` */
  onUndelivered(error: unknown): void;
  /** @default none: what a process leaves firing is forgotten */
  memory?: AlertMemory;
  /** told when the memory cannot be read or written; people are told all the same */
  onForgotten?(error: unknown): void;
  /** @default after 15 minutes, then twice as long each time, up to a day */
  intervals?: ReminderIntervals;
}

/** Those of some names, but not those with these fingerprints. */
export interface Lowered {
  names: readonly string[];
  except?: ReadonlySet<string>;
}

/**
 * Alerts that no one awaits: told once, reminded of at growing intervals, resolved once. A message that is not taken is sent
 * again. One message after the other, so that none is resolved before it fires.
 */
export interface StandingAlerts {
  /**
   * Tells of something new. What is told already, by its fingerprint, keeps its start and its labels; its next reminder
   * says what is known now.
   *
   * @param most alerts of this name at a time; more are not told. @default no limit
   */
  raise(alert: Alert, most?: number): void;
  /** Resolves what stands of these names. */
  lower(which: Lowered, summary: string): void;
  /** Resolves at receivers that know what fires, such as Alertmanager, what a process left firing whose memory is gone. */
  settle(alert: Alert): void;
  /** Sends what is due. To be called now and again. Resolves when it is sent, or given up until the next time. */
  remind(): Promise<void>;
}

const INTERVALS: ReminderIntervals = { remindAfterMs: 15 * 60_000, remindAtMostMs: 24 * 60 * 60_000 };

/** Takes up what the memory holds before anything else. */
export function createStandingAlerts(options: StandingAlertsOptions): StandingAlerts {
  const {
    send,
    settle,
    labels = (alert: Alert) => alertLabels(alert, {}),
    nowMs,
    onUndelivered,
    memory,
    onForgotten,
    intervals = INTERVALS,
  } = options;
  const all = new Map<string, StandingAlert>();
  const remembering = async (act: (memory: AlertMemory) => Promise<void>): Promise<void> => {
    if (memory) await act(memory).catch((error: unknown) => onForgotten?.(error));
  };
  const keep = async (standing: StandingAlert): Promise<void> => {
    all.set(standing.alert.fingerprint, standing);
    await remembering((kept) => kept.put(standing));
  };
  const ofNames = (names: readonly string[]): StandingAlert[] =>
    [...all.values()].filter(({ alert }) => alert.status === 'firing' && names.includes(alert.name));

  const tell = async (standing: StandingAlert): Promise<void> => {
    const { alert, messagesSent } = standing;
    if (alert.status === 'resolved') {
      await send(alert);
      all.delete(alert.fingerprint);
      return remembering((kept) => kept.remove(alert.fingerprint));
    }
    const nextMessageAtMs = nextReminderAtMs(nowMs(), messagesSent + 1, intervals);
    await send({ ...alert, reminder: messagesSent, nextReminderAtMs: nextMessageAtMs });
    await keep({ alert, messagesSent: messagesSent + 1, nextMessageAtMs });
  };

  let last = remembering(async (kept) => {
    for (const standing of await kept.load()) all.set(standing.alert.fingerprint, standing);
  });
  const inTurn = (act: () => Promise<void>): Promise<void> => (last = last.then(act).catch(onUndelivered));

  return {
    raise: (alert, most = Infinity) =>
      void inTurn(async () => {
        const known = all.get(alert.fingerprint);
        if (known?.alert.status === 'firing') {
          const { summary, description } = alert;
          if (known.alert.summary === summary && known.alert.description === description) return;
          return keep({ ...known, alert: { ...known.alert, summary, description } });
        }
        if (ofNames([alert.name]).length >= most) return;
        // Kept before it is sent: a process that dies in between leaves nothing firing that no one resolves.
        const standing = { alert: { ...alert, labels: labels(alert) }, messagesSent: 0, nextMessageAtMs: nowMs() };
        await keep(standing);
        await tell(standing);
      }),
    lower: ({ names, except = new Set() }, summary) =>
      void inTurn(async () => {
        for (const { alert, messagesSent } of ofNames(names)) {
          if (except.has(alert.fingerprint)) continue;
          const atMs = nowMs();
          const resolved: Alert = { ...alert, status: 'resolved', summary, endsAtMs: atMs, reminder: messagesSent };
          const standing = { alert: resolved, messagesSent, nextMessageAtMs: atMs };
          await keep(standing);
          await tell(standing).catch(onUndelivered);
        }
      }),
    settle: (alert) => void inTurn(async () => settle?.({ ...alert, labels: labels(alert) })),
    remind: () =>
      inTurn(async () => {
        for (const standing of [...all.values()]) {
          if (standing.nextMessageAtMs <= nowMs()) await tell(standing).catch(onUndelivered);
        }
      }),
  };
}
