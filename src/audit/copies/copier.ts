import { within } from '../../kernel/timers';
import { systemTimers } from '../../platform/timers/system-timers';
import type { AuditRecord, AuditSink } from '../audit-record';

export interface CopierEvents {
  copied(sink: string): void;
  /** one attempt failed; `waiting` records are held, the next attempt is `retryInMs` away */
  failed(sink: string, error: unknown, waiting: number, retryInMs: number): void;
  /** the record is given up: too many wait, or the log closes */
  dropped(sink: string, record: AuditRecord, why: 'full' | 'closing'): void;
}

export interface Copier {
  /** takes the record at once; never throws, never waits */
  add(record: AuditRecord): void;
  /** ends after at most `withinMs`; what could not be copied by then is reported as dropped */
  close(withinMs: number): Promise<void>;
}

export interface CopierLimits {
  /** records held in memory at most; the oldest goes first */
  maxWaiting: number;
  firstRetryMs: number;
  lastRetryMs: number;
}

/** Copies records to one sink in the order given, each at least once, trying again until the sink takes it. */
export function createCopier(sink: AuditSink, events: CopierEvents, limits: CopierLimits): Copier {
  const waiting: AuditRecord[] = [];
  /** taken off the queue, so that an overflow does not report it as dropped while it is being written */
  let inHand: AuditRecord | undefined;
  let busy = false;
  let working: Promise<void> = Promise.resolve();
  let closing = false;
  let wakeUp = () => {};

  async function work() {
    let failures = 0;
    for (inHand = waiting.shift(); inHand !== undefined; inHand = waiting.shift()) {
      try {
        await sink.write(inHand);
        failures = 0;
        events.copied(sink.name);
      } catch (error) {
        waiting.unshift(inHand);
        inHand = undefined;
        const retryInMs = Math.min(limits.firstRetryMs * 2 ** failures, limits.lastRetryMs);
        failures += 1;
        events.failed(sink.name, error, waiting.length, retryInMs);
        if (closing) break;
        await pause(retryInMs);
      }
    }
    // In the same breath as the last look at the queue: a record added after that look starts again.
    busy = false;
  }

  function start() {
    if (busy) return;
    busy = true;
    working = work();
  }

  function pause(ms: number) {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    add(record) {
      if (closing) return events.dropped(sink.name, record, 'closing');
      if (waiting.length >= limits.maxWaiting) {
        const oldest = waiting.shift();
        if (oldest !== undefined) events.dropped(sink.name, oldest, 'full');
      }
      waiting.push(record);
      start();
    },
    async close(withinMs) {
      closing = true;
      // Whoever waits to try again tries once more now.
      wakeUp();
      const late = () => new Error(`${sink.name} took no more records within ${withinMs} ms`);
      await within(systemTimers, withinMs, working, late).catch(() => undefined);
      const left = inHand === undefined ? waiting.splice(0) : [inHand, ...waiting.splice(0)];
      for (const record of left) events.dropped(sink.name, record, 'closing');
    },
  };
}
