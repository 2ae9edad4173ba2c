import type { AuditStore } from './audit-record';

/** The audit log for those who only read it. */
export type AuditReader = Pick<AuditStore, 'get' | 'list' | 'close'>;
