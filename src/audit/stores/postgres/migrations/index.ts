import type { Migration } from 'kysely';
import { auditLog } from './0001-audit-log';
import { auditCursor } from './0002-audit-cursor';
import { auditDomains } from './0003-audit-domains';
import { parts } from './0004-parts';

/**
 * Every step of the store's schema, by name; they run in the order of their names, each once. A step that was released is
 * never changed: a new one follows it.
 */
export const migrations: Record<string, Migration> = {
  '0001-audit-log': auditLog,
  '0002-audit-cursor': auditCursor,
  '0003-audit-domains': auditDomains,
  '0004-parts': parts,
};
