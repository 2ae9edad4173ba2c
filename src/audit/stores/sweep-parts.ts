import type { Repetition } from '../../kernel/repeat';
import type { AuditLogger } from '../audit-log';
import { KEEP_PARTS_MS, type PartStore } from '../part-store';
import { startSweeps } from './start-sweeps';

/** Sweeps parts of more than a day ago, now and every hour until it is stopped. */
export function startPartSweeps(parts: PartStore, logger: AuditLogger, nowMs: () => number = Date.now): Repetition {
  return startSweeps({
    sweep: () => parts.sweep(nowMs() - KEEP_PARTS_MS),
    what: 'Facts of decisions that were recorded long ago',
    logger,
  });
}
