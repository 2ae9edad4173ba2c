import { Migrator, type Kysely, type Migration } from 'kysely';
import { FailureType, GateError } from '../../kernel/failures';

const STEPS_TABLE = 'gate_store_migrations';

/**
 * Brings the schema up to date; does nothing when it is. Two workers may call it at once: the steps run in one
 * transaction under an advisory lock, so the second waits and then finds nothing to do.
 *
 * @throws GateError ConfigInvalid when a newer version of this program has already migrated the store; whatever the
 *   database threw otherwise
 */
export async function migrate<T>(db: Kysely<T>, migrations: Readonly<Record<string, Migration>>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableName: STEPS_TABLE,
    migrationLockTableName: `${STEPS_TABLE}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new GateError(
      FailureType.ConfigInvalid,
      'The audit store was set up by a newer version of this program; run that version or newer',
      undefined,
      { cause: error },
    );
  }
  throw error;
}
