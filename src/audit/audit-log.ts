import type { AuditRecord } from './audit-record';

/** What the audit log counts; `sink` is the store's or a sink's name. */
export interface AuditMetrics {
  written(sink: string): void;
  failed(sink: string): void;
  /** a copy that is given up for good */
  dropped(sink: string): void;
}

/** Where the audit log reports failures of copies, which no one awaits; pino fits. */
export interface AuditLogger {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface AuditLog {
  /**
   * Durable when it resolves; gives the record under the id, which is the earlier one where there was one. An id belongs to
   * one domain, subject and part: an earlier record of another place is refused, never adopted.
   * Copies follow in the background and never hold it up. Without a store it resolves when every sink has its copy.
   *
   * @throws GateError AuditWriteFailed; nothing may be acted on then
   */
  record<R extends AuditRecord>(record: R): Promise<R>;
  /**
   * Gives waiting copies a last chance, then closes the store.
   * @param withinMs for the copies @default 2000
   */
  close(withinMs?: number): Promise<void>;
}
