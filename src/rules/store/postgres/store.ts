import { sql, type Transaction } from 'kysely';
import type { DomainRecord } from '../../../audit/audit-record';
import { FailureType } from '../../../kernel/failures';
import { storeError } from '../../../platform/database/store-error';
import { toText } from '../../../platform/database/stored-text';
import type { PolicyFilter, PolicyRef } from '../stored-policy';
import type { PolicyStore, PolicyWrite, WriteOutcome } from '../policy-store';
import type { RuleDatabase } from './open-rule-database';
import {
  scopeOf,
  toExecution,
  toExecutionRow,
  toPause,
  toPauseRow,
  toPolicy,
  toPolicyRow,
  toVersion,
  toVersionRow,
} from './rows';
import type { RuleSchema } from './schema';

/** Names in byte order, as the indexes have them, whatever the database's collation. */
const BY_NAME = sql`name collate "C"`;
const UNIQUE_VIOLATION = '23505';

const POLICY = [
  'id',
  'name',
  'type',
  'version',
  'revision',
  'priority',
  'enabled',
  'document',
  'set_revision',
  'created_at',
  'updated_at',
  'deleted_at',
] as const;
const VERSION = [
  'policy_id',
  'revision',
  'version',
  'change',
  'name',
  'type',
  'document',
  'restores',
  'actor',
  'reason',
  'created_at',
] as const;

/** Rule policies in PostgreSQL or an embedded PGlite; closing it closes the database. */
export function createPostgresPolicyStore({ db, where, close }: RuleDatabase): PolicyStore {
  async function attempt<T>(doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storeError(where, doing, error, FailureType.StoreUnavailable);
    }
  }
  const reading = <T>(run: () => Promise<T>) => attempt('read rule policies', run);

  return {
    where,
    setRevision: () =>
      reading(async () => {
        const { revision } = await db.selectFrom('policy_set').select('revision').executeTakeFirstOrThrow();
        return Number(revision);
      }),
    changedSince: (setRevision) =>
      reading(async () => {
        const rows = await db
          .selectFrom('policies')
          .select(POLICY)
          .where('set_revision', '>', setRevision)
          .orderBy('set_revision')
          .execute();
        // Each change marks one policy with the revision it makes, so the last one's is that of the set as it was read here.
        const latest = rows.at(-1);
        return {
          setRevision: latest === undefined ? setRevision : Number(latest.set_revision),
          policies: rows.map(toPolicy),
        };
      }),
    find: (ref) =>
      reading(async () => {
        const row = await withRef(db.selectFrom('policies').select(POLICY), ref).executeTakeFirst();
        return row && toPolicy(row);
      }),
    list: (filter, { afterName, limit }) =>
      reading(async () => {
        let select = withFilter(db.selectFrom('policies').select(POLICY), filter);
        if (afterName !== undefined) select = select.where(sql<boolean>`${BY_NAME} > ${afterName} collate "C"`);
        return (await select.orderBy(BY_NAME).limit(limit).execute()).map(toPolicy);
      }),
    count: () =>
      reading(async () => {
        const { living } = await db
          .selectFrom('policies')
          .select(sql<string | number>`count(*)`.as('living'))
          .where('deleted_at', 'is', null)
          .executeTakeFirstOrThrow();
        return Number(living);
      }),
    write: (basedOn, write) =>
      attempt(`store the policy ${write.policy.name}`, async () => {
        try {
          return await db.transaction().execute((transaction) => writeWithin(transaction, basedOn, write));
        } catch (error) {
          if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) return 'taken';
          throw error;
        }
      }),
    versions: (policyId, { beforeRevision, limit }) =>
      reading(async () => {
        let select = db.selectFrom('policy_versions').select(VERSION).where('policy_id', '=', policyId);
        if (beforeRevision !== undefined) select = select.where('revision', '<', beforeRevision);
        return (await select.orderBy('revision', 'desc').limit(limit).execute()).map(toVersion);
      }),
    version: (policyId, revision) =>
      reading(async () => {
        const row = await db
          .selectFrom('policy_versions')
          .select(VERSION)
          .where('policy_id', '=', policyId)
          .where('revision', '=', revision)
          .executeTakeFirst();
        return row && toVersion(row);
      }),
    beginExecution: (execution, records) =>
      attempt(`store the execution ${execution.id}`, () =>
        db.transaction().execute(async (transaction) => {
          const written = await transaction
            .insertInto('policy_executions')
            .values(toExecutionRow(execution))
            .onConflict((conflict) => conflict.column('id').doNothing())
            .returning('execution')
            .executeTakeFirst();
          if (written === undefined) {
            const earlier = await transaction
              .selectFrom('policy_executions')
              .select('execution')
              .where('id', '=', execution.id)
              .executeTakeFirstOrThrow();
            return toExecution(earlier);
          }
          const ids = [...new Set(execution.policies.map(({ policyId }) => policyId))];
          await transaction
            .insertInto('policy_execution_policies')
            .values(ids.map((id) => ({ policy_id: id, execution_id: execution.id, started_at: execution.startedAt })))
            .execute();
          await leaveRecords(transaction, records);
          return toExecution(written);
        }),
      ),
    changeExecution: (id, change) =>
      attempt(`store the execution ${id}`, () =>
        db.transaction().execute(async (transaction) => {
          const found = await transaction
            .selectFrom('policy_executions')
            .select('execution')
            .where('id', '=', id)
            .forUpdate()
            .executeTakeFirst();
          if (found === undefined) return undefined;
          const changed = change(toExecution(found));
          if (changed === undefined) return toExecution(found);
          const { status, result, completed_at, execution } = toExecutionRow(changed.execution);
          await transaction
            .updateTable('policy_executions')
            .set({ status, result, completed_at, execution })
            .where('id', '=', id)
            .execute();
          await leaveRecords(transaction, changed.records);
          return changed.execution;
        }),
      ),
    execution: (id) =>
      reading(async () => {
        const row = await db
          .selectFrom('policy_executions')
          .select('execution')
          .where('id', '=', id)
          .executeTakeFirst();
        return row && toExecution(row);
      }),
    executions: (filter, { after, limit }) =>
      reading(async () => {
        let select = db.selectFrom('policy_executions as run').select('run.execution');
        if (filter.policyId !== undefined) {
          select = select
            .innerJoin('policy_execution_policies as of', 'of.execution_id', 'run.id')
            .where('of.policy_id', '=', filter.policyId);
        }
        if (filter.status !== undefined) select = select.where('run.status', '=', filter.status);
        if (filter.since !== undefined) {
          select = select.where('run.started_at', '>=', sql<Date>`${filter.since}::timestamptz`);
        }
        if (filter.until !== undefined) {
          select = select.where('run.started_at', '<', sql<Date>`${filter.until}::timestamptz`);
        }
        if (after !== undefined) {
          select = select.where(
            sql<boolean>`(run.started_at, run.id) < (${after.startedAt}::timestamptz, ${after.id}::uuid)`,
          );
        }
        const rows = await select.orderBy('run.started_at', 'desc').orderBy('run.id', 'desc').limit(limit).execute();
        return rows.map(toExecution);
      }),
    pauses: () =>
      reading(async () => {
        const rows = await db.selectFrom('policy_schedule_pauses').selectAll().orderBy('scope').execute();
        const pauses = rows.map(toPause);
        return [...pauses.filter((pause) => pause.policyId === undefined), ...pauses.filter((pause) => pause.policyId)];
      }),
    pause: (pause, record) =>
      attempt('pause rule policies', () =>
        db.transaction().execute(async (transaction) => {
          const written = await transaction
            .insertInto('policy_schedule_pauses')
            .values(toPauseRow(pause))
            .onConflict((conflict) => conflict.column('scope').doNothing())
            .returning('scope')
            .executeTakeFirst();
          if (written === undefined) return false;
          await leaveRecords(transaction, [record]);
          return true;
        }),
      ),
    unpause: (policyId, record) =>
      attempt('let rule policies run again', () =>
        db.transaction().execute(async (transaction) => {
          const gone = await transaction
            .deleteFrom('policy_schedule_pauses')
            .where('scope', '=', scopeOf(policyId))
            .returning('scope')
            .executeTakeFirst();
          if (gone === undefined) return false;
          await leaveRecords(transaction, [record]);
          return true;
        }),
      ),
    leaveRecord: (record) =>
      attempt('keep an audit record', () =>
        db.transaction().execute((transaction) => leaveRecords(transaction, [record])),
      ),
    waitingRecords: (limit) =>
      reading(async () => {
        const rows = await db
          .selectFrom('policy_records_waiting')
          .select('record')
          .orderBy('seq')
          .limit(limit)
          .execute();
        return rows.map(({ record }) => JSON.parse(record) as DomainRecord);
      }),
    delivered: (decisionIDs) =>
      attempt('confirm audit records', async () => {
        if (decisionIDs.length === 0) return;
        await db
          .deleteFrom('policy_records_waiting')
          .where('decision_id', 'in', [...decisionIDs])
          .execute();
      }),
    close,
  };
}

/** The set first: its row is the lock that all changes wait for. */
async function writeWithin(
  transaction: Transaction<RuleSchema>,
  basedOn: number,
  { policy, version, record }: PolicyWrite,
): Promise<WriteOutcome> {
  const setRevision = basedOn + 1;
  const taken = await transaction
    .updateTable('policy_set')
    .set({ revision: setRevision })
    .where('revision', '=', basedOn)
    .returning('revision')
    .executeTakeFirst();
  if (taken === undefined) return 'set-changed';
  const { id, ...columns } = toPolicyRow(policy, setRevision);
  if (policy.revision === 1)
    await transaction
      .insertInto('policies')
      .values({ id, ...columns })
      .execute();
  else {
    const updated = await transaction
      .updateTable('policies')
      .set(columns)
      .where('id', '=', id)
      .where('revision', '=', policy.revision - 1)
      .returning('id')
      .executeTakeFirst();
    // Under the lock of the set it cannot differ from what was read at `basedOn`.
    if (updated === undefined) throw new TypeError(`policy ${id} is not at revision ${policy.revision - 1}`);
  }
  await transaction.insertInto('policy_versions').values(toVersionRow(version)).execute();
  await leaveRecords(transaction, [record]);
  return { setRevision };
}

/** One that waits already stays as it is: its id says what it tells. */
async function leaveRecords(transaction: Transaction<RuleSchema>, records: readonly DomainRecord[]): Promise<void> {
  if (records.length === 0) return;
  await transaction
    .insertInto('policy_records_waiting')
    .values(records.map((record) => ({ decision_id: record.decisionID, record: JSON.stringify(record) })))
    .onConflict((conflict) => conflict.column('decision_id').doNothing())
    .execute();
}

interface Filterable<Self> {
  where(...condition: never[]): Self;
}

function withRef<Q extends Filterable<Q>>(select: Q, ref: PolicyRef): Q {
  const where = select.where.bind(select) as (condition: unknown) => Q;
  if ('id' in ref) return where(sql<boolean>`id = ${ref.id}::uuid`);
  return where(sql<boolean>`${BY_NAME} = ${toText(ref.name)} and deleted_at is null`);
}

function withFilter<Q extends Filterable<Q>>(select: Q, { type, enabled, namePrefix, operation }: PolicyFilter): Q {
  const conditions = [
    sql`deleted_at is null`,
    ...(type === undefined ? [] : [sql`type = ${toText(type)}`]),
    ...(enabled === undefined ? [] : [sql`enabled = ${enabled}`]),
    ...(namePrefix === undefined ? [] : [sql`starts_with(name, ${toText(namePrefix)})`]),
    ...(operation === undefined
      ? []
      : [sql`coalesce(definition #>> '{scope,operation}', ${toText(operation)}) = ${toText(operation)}`]),
  ];
  const where = select.where.bind(select) as (condition: unknown) => Q;
  return where(sql<boolean>`(${sql.join(conditions, sql` and `)})`);
}
