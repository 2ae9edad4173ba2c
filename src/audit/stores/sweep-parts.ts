import type { AuditLogger } from '../audit-log';
import { KEEP_PARTS_MS, type PartStore } from '../part-store';

const EVERY_MS = 3_600_000;

/** Sweeps parts of more than a day ago, now and every hour until it is stopped. A sweep that fails is logged and made up for. */
export function startPartSweeps(
  parts: PartStore,
  logger: AuditLogger,
  nowMs: () => number = Date.now,
): { stop(): Promise<void> } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  async function sweep(): Promise<void> {
    try {
      await parts.sweep(nowMs() - KEEP_PARTS_MS);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logger.warn({ error: why }, 'Facts of decisions that were recorded long ago could not be deleted; trying again');
    }
    if (!stopped) timer = setTimeout(next, EVERY_MS).unref();
  }

  const next = (): void => {
    underway = sweep();
  };
  let underway = sweep();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underway;
    },
  };
}
