import { messageOf } from '../../kernel/message-of';
import type { DomainRecord } from '../../audit/audit-record';
import type { RuleMetrics } from './rule-metrics';
import type { RuleParts } from './rule-parts';

const AT_ONCE = 100;

/**
 * Brings records from the store of policies, where each was written with its change, to the audit log. Whoever changed
 * something brings its own; what a process left that died in between, or that the audit log did not take, comes with the
 * next sweep of any process. A record that is brought twice is one record: its id is its key.
 */
export interface RecordDelivery {
  /** @throws GateError AuditWriteFailed; the records stay in the store then */
  now(records: readonly DomainRecord[]): Promise<void>;
  /** The same for a change that has been made already: a failure is logged, and mended by a later sweep. */
  soon(records: readonly DomainRecord[]): Promise<void>;
  /** Brings all that wait. */
  sweep(): Promise<void>;
}

export function createRecordDelivery({
  store,
  log,
  metrics,
  logger,
}: Pick<RuleParts, 'store' | 'log' | 'logger'> & { metrics: Pick<RuleMetrics, 'waiting'> }): RecordDelivery {
  async function now(records: readonly DomainRecord[]): Promise<void> {
    for (const record of records) await log.record(record);
    // Forgotten, they are brought once more, which changes nothing.
    await store.delivered(records.map(({ decisionID }) => decisionID)).catch(() => undefined);
  }

  return {
    now,
    async soon(records) {
      try {
        await now(records);
      } catch (error) {
        metrics.waiting(records.length);
        logger.warn({ error: messageOf(error) }, 'Audit records of rule policies wait in their store; trying again');
      }
    },
    async sweep() {
      for (;;) {
        const records = await store.waitingRecords(AT_ONCE);
        metrics.waiting(records.length);
        if (records.length === 0) return;
        for (const record of records) await log.record(record);
        await store.delivered(records.map(({ decisionID }) => decisionID));
      }
    },
  };
}
