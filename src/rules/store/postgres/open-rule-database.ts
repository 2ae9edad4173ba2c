import type { Kysely } from 'kysely';
import { openDatabase, type Database, type DatabaseSettings } from '../../../platform/database/database';
import { migrate } from '../../../platform/database/migrate';
import { storeError } from '../../../platform/database/store-error';
import { RULE_STORE } from '../../../platform/database/store-kind';
import { ruleMigrations } from './migrations';
import type { RuleSchema } from './schema';

/** The database whose tables are those of rule policies. */
export type RuleDatabase = Database<RuleSchema>;

/**
 * Opens a database of its own for rule policies and brings their tables up to date.
 *
 * @throws as `openDatabase` does, StoreUnavailable when it cannot be reached
 */
export function openRuleDatabase(settings: DatabaseSettings): Promise<RuleDatabase> {
  return openDatabase(settings, ruleMigrations, RULE_STORE);
}

/**
 * Rule policies in a database that is open already, such as the audit log's: an embedded store has one owner, and one handle.
 * Closing what this gives leaves the database open.
 *
 * @throws GateError StoreUnavailable; ConfigInvalid when the tables belong to a newer version
 */
export async function rulesWithin<Schema>(database: Database<Schema>): Promise<RuleDatabase> {
  const db = database.db as unknown as Kysely<RuleSchema>;
  try {
    await migrate(db, ruleMigrations, RULE_STORE);
  } catch (error) {
    throw storeError(database.where, `open the ${RULE_STORE.called}`, error, RULE_STORE.failure);
  }
  return { db, where: database.where, close: () => Promise.resolve() };
}
