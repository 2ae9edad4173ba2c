import type { Timers } from '../../kernel/timers';
import type { Reconciled } from '../schedules/reconcile-schedules';
import type { RuleLogger } from './rule-parts';

const EVERY_MS = 60_000;

export interface KeepSchedulesOptions {
  /** @param pass counts from 0 */
  reconcile(pass: number): Promise<Reconciled>;
  timers: Timers;
  /** @default a minute */
  everyMs?: number;
  logger: RuleLogger;
  /** whose they are, in logs @default rule policies */
  whose?: string;
}

/** Schedules that are kept as the store says, until it is stopped. */
export interface SchedulesKept {
  /** something changed: reconciles at once, or again when it is under way */
  soon(): void;
  /** resolves when nothing is under way any more */
  stop(): Promise<void>;
}

/** Reconciles now, after each change that it is told of, and every minute. A failure is logged once, until it is another one. */
export function keepSchedules({
  reconcile,
  timers,
  everyMs = EVERY_MS,
  logger,
  whose = 'rule policies',
}: KeepSchedulesOptions): SchedulesKept {
  let stopped = false;
  let again = false;
  let underWay: Promise<void> | undefined;
  let callOff = (): void => undefined;
  let said = '';
  let pass = 0;

  const say = (details: object, message: string): void => {
    const text = JSON.stringify([message, details]);
    if (text !== said) logger.warn(details, message);
    said = text;
  };
  async function once(): Promise<void> {
    try {
      const { failures, held, ...counts } = await reconcile(pass++);
      if (Object.values(counts).some((count) => count > 0)) logger.info(counts, `Schedules of ${whose} changed`);
      if (failures.length > 0) say({ failures }, `Some schedules of ${whose} could not be changed; trying again`);
      else if (held.length > 0) say({ held }, `Some schedules of ${whose} were paused in Temporal, and stay so`);
      else said = '';
    } catch (error) {
      if (!stopped) say({ error: String(error) }, `Schedules of ${whose} could not be reconciled; trying again`);
    }
  }
  function run(): void {
    if (stopped) return;
    callOff();
    if (underWay !== undefined) {
      again = true;
      return;
    }
    underWay = once().then(() => {
      underWay = undefined;
      if (stopped) return;
      if (again) {
        again = false;
        run();
      } else callOff = timers.after(everyMs, run, { background: true });
    });
  }
  run();
  return {
    soon: run,
    stop: async () => {
      stopped = true;
      callOff();
      await underWay;
    },
  };
}
