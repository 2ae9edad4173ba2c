import type { AuditLog } from '../../audit/audit-log';
import { createRecordDelivery, type WaitingRecords } from '../../audit/service/deliver-records';
import { messageOf } from '../../kernel/message-of';
import { repeat } from '../../kernel/repeat';
import type { Timers } from '../../kernel/timers';
import type { ProgramLogger } from '../../platform/observability/program-logger';

export interface BringRecordsOptions {
  store: WaitingRecords;
  log: AuditLog;
  logger: Pick<ProgramLogger, 'warn' | 'error'>;
  timers: Timers;
  /** what a process left that died is brought this often; @default 10000 */
  everyMs?: number;
}

export interface BringingRecords {
  /** There may be records. */
  nudge(): void;
  /** Brings what there is, once, and ends. */
  close(): Promise<void>;
}

/** Brings the records of changes of plans to the audit log, behind the writes: no client waits for it. */
export function bringRecords({ store, log, logger, timers, everyMs = 10_000 }: BringRecordsOptions): BringingRecords {
  const delivery = createRecordDelivery({ store, log, logger, about: 'plans' });
  let wanted = false;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (wanted) {
      wanted = false;
      await delivery
        .sweep()
        .catch((error: unknown) =>
          logger.warn(
            { error: messageOf(error) },
            'Audit records of plans wait in their store; they are brought later',
          ),
        );
    }
  }

  function nudge(): void {
    wanted = true;
    working ??= work().finally(() => {
      working = undefined;
      // One that came after the last look, and before this.
      if (wanted) nudge();
    });
  }

  const sweeps = repeat({ timers, everyMs, act: () => Promise.resolve(nudge()) });
  return {
    nudge,
    async close() {
      await sweeps.stop();
      nudge();
      while (working !== undefined) await working;
    },
  };
}
