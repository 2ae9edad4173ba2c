import { Migrator, type Kysely, type Migration } from 'kysely';
import { FailureType, GateError } from '../../kernel/failures';
import { AUDIT_STORE, type StoreKind } from './store-kind';

/**
 * Brings the schema up to date; does nothing when it is. Two workers may call it at once: the steps run in one
 * transaction under an advisory lock, so the second waits and then finds nothing to do.
 *
 * @param steps every step, by name, in the order of their names
 * @param kind whose tables these are: each domain counts its own steps
 *
 * @throws GateError ConfigInvalid when a newer version of this program has already migrated the store; whatever the
 *   database threw otherwise
 */
export async function migrate<T>(
  db: Kysely<T>,
  steps: Readonly<Record<string, Migration>>,
  { stepsTable, called }: StoreKind = AUDIT_STORE,
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...steps }) },
    migrationTableName: stepsTable,
    migrationLockTableName: `${stepsTable}_lock`,
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    throw new GateError(
      FailureType.ConfigInvalid,
      `The ${called} was set up by a newer version of this program; run that version or newer`,
      undefined,
      { cause: error },
    );
  }
  throw error;
}
