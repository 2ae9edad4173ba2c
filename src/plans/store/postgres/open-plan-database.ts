import type { Kysely } from 'kysely';
import { openDatabase, type Database, type DatabaseSettings } from '../../../platform/database/database';
import { migrate } from '../../../platform/database/migrate';
import { storeError } from '../../../platform/database/store-error';
import { PLAN_STORE } from '../../../platform/database/store-kind';
import { planMigrations } from './migrations';
import type { PlanSchema } from './schema';

/** The channel on which a server tells the others that there are events. */
export const PLAN_CHANNEL = 'gate_plans';

/** The database whose tables are those of plans. */
export type PlanDatabase = Database<PlanSchema>;

/**
 * Opens a database of its own for plans and brings its tables up to date.
 *
 * @throws as `openDatabase` does, StoreUnavailable when it cannot be reached
 */
export function openPlanDatabase(settings: DatabaseSettings): Promise<PlanDatabase> {
  return openDatabase<PlanSchema>(settings, planMigrations, PLAN_STORE);
}

/**
 * Plans in a database that is open already, such as the audit log's: an embedded store has one owner, and one handle. Closing
 * what this gives leaves the database open.
 *
 * @throws GateError StoreUnavailable; ConfigInvalid when the tables belong to a newer version
 */
export async function plansWithin<Schema>(database: Database<Schema>): Promise<PlanDatabase> {
  const db = database.db as unknown as Kysely<PlanSchema>;
  try {
    await migrate(db, planMigrations, PLAN_STORE);
  } catch (error) {
    throw storeError(database.where, `open the ${PLAN_STORE.called}`, error, PLAN_STORE.failure);
  }
  const { where, listen } = database;
  return { db, where, ...(listen === undefined ? {} : { listen }), close: () => Promise.resolve() };
}
