import { repeat, type Repetition } from '../../kernel/repeat';
import { systemTimers } from '../../platform/timers/system-timers';
import type { AuditLogger } from '../audit-log';
import { KEEP_PARTS_MS, type PartStore } from '../part-store';

const EVERY_MS = 3_600_000;

/** Sweeps parts of more than a day ago, now and every hour until it is stopped. A sweep that fails is logged and made up for. */
export function startPartSweeps(parts: PartStore, logger: AuditLogger, nowMs: () => number = Date.now): Repetition {
  async function sweep(): Promise<void> {
    try {
      await parts.sweep(nowMs() - KEEP_PARTS_MS);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn({ error: why }, 'Facts of decisions that were recorded long ago could not be deleted; trying again');
    }
  }
  return repeat({ timers: systemTimers, everyMs: EVERY_MS, act: sweep });
}
