import { openDatabase, type Database, type DatabaseSettings } from '../../../platform/database/database';
import { migrations } from './migrations';
import type { StoreSchema } from './schema';

/** The store whose tables are the audit log's. */
export type AuditDatabase = Database<StoreSchema>;

/**
 * Opens the store and brings the audit log's tables up to date.
 *
 * @throws as `openDatabase` does
 */
export function openAuditDatabase(settings: DatabaseSettings): Promise<AuditDatabase> {
  return openDatabase(settings, migrations);
}
