import { messageOf } from '../../kernel/message-of';
import { repeat, type Repetition } from '../../kernel/repeat';
import { systemTimers } from '../../platform/timers/system-timers';
import type { AuditLogger } from '../audit-log';

const EVERY_MS = 3_600_000;

export interface SweepOptions {
  /** deletes what is too old; what it leaves, the next one deletes */
  sweep(): Promise<unknown>;
  /** what it deletes, as the subject of a warning: `Records beyond audit.retention` */
  what: string;
  logger: AuditLogger;
  /** between the end of a sweep and the next @default an hour */
  everyMs?: number;
}

/** Sweeps now and again until it is stopped. A sweep that fails is logged and made up for by the next one. */
export function startSweeps({ sweep, what, logger, everyMs = EVERY_MS }: SweepOptions): Repetition {
  const act = async (): Promise<void> => {
    try {
      await sweep();
    } catch (error) {
      logger.warn({ error: messageOf(error) }, `${what} could not be deleted; trying again with the next sweep`);
    }
  };
  return repeat({ timers: systemTimers, everyMs, act });
}
