import { messageOf } from '../../kernel/message-of';
import type { AuditLog, AuditLogger } from '../audit-log';
import type { DomainRecord } from '../audit-record';

/** Records that a domain's store has written with the changes that they tell of, and that the audit log has not yet. */
export interface WaitingRecords {
  /** The oldest first. @throws GateError StoreUnavailable */
  waitingRecords(limit: number): Promise<DomainRecord[]>;
  /** Forgets records that the audit log has. @throws GateError StoreUnavailable */
  delivered(decisionIDs: readonly string[]): Promise<void>;
}

export interface RecordDeliveryParts {
  store: WaitingRecords;
  log: AuditLog;
  logger: Pick<AuditLogger, 'warn'>;
  metrics?: { waiting(records: number): void };
  /** what they are about, for the log, e.g. `rule policies` */
  about: string;
}

const AT_ONCE = 100;

/**
 * Brings records from a domain's store, where each was written with its change, to the audit log. Whoever changed
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

export function createRecordDelivery({ store, log, metrics, logger, about }: RecordDeliveryParts): RecordDelivery {
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
        metrics?.waiting(records.length);
        logger.warn({ error: messageOf(error) }, `Audit records of ${about} wait in their store; trying again`);
      }
    },
    async sweep() {
      for (;;) {
        const records = await store.waitingRecords(AT_ONCE);
        metrics?.waiting(records.length);
        if (records.length === 0) return;
        for (const record of records) await log.record(record);
        await store.delivered(records.map(({ decisionID }) => decisionID));
      }
    },
  };
}
