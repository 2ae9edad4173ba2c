import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditDatabase } from '../../../src/audit/stores/postgres/open-audit-database';
import { createPostgresAuditStore } from '../../../src/audit/stores/postgres/store';
import { openRuleDatabase, rulesWithin, type RuleDatabase } from '../../../src/rules/store/postgres/open-rule-database';
import { createPostgresPolicyStore } from '../../../src/rules/store/postgres/store';
import { aRecord } from '../../audit/a-record';
import { startPostgres, type TestPostgres } from '../../support/postgres';
import { aPolicy, aWrite, describePolicyStore } from './describe-policy-store';

const queryOf = (database: RuleDatabase) => (text: string) => sql.raw(text).execute(database.db);

describePolicyStore('PGlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gate-rules-'));
  const database = await openRuleDatabase({ folder });
  const store = createPostgresPolicyStore(database);
  return {
    store,
    other: store,
    query: queryOf(database),
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('with a PostgreSQL server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());

  describePolicyStore('PostgreSQL', async () => {
    const url = await server.database('contract');
    // Two servers start at once on an empty database.
    // The contract does not depend on how busy the machine is.
    const options = { url, timeouts: { connectMs: 60_000, statementMs: 60_000 } };
    const [one, two] = await Promise.all([openRuleDatabase(options), openRuleDatabase(options)]);
    const [store, other] = [createPostgresPolicyStore(one), createPostgresPolicyStore(two)];
    return {
      store,
      other,
      query: queryOf(one),
      close: async () => void (await Promise.all([store.close(), other.close()])),
    };
  });

  it('the rule store has the tables and the columns of the design', async () => {
    const database = await openRuleDatabase({ url: await server.database('columns') });
    const { rows } = await sql<{ told: string }>`
      select table_name || '.' || column_name || ' ' || data_type || coalesce('(' || character_maximum_length || ')', '') as told
      from information_schema.columns where table_name in ('policies', 'policy_versions', 'policy_executions')`.execute(
      database.db,
    );
    expect(rows.map(({ told }) => told)).toEqual(
      expect.arrayContaining([
        'policies.id uuid',
        'policies.name character varying(255)',
        'policies.type character varying(50)',
        'policies.version character varying(20)',
        'policies.revision integer',
        'policies.priority bigint',
        'policies.definition jsonb',
        'policies.created_at timestamp with time zone',
        'policies.updated_at timestamp with time zone',
        'policy_versions.policy_id uuid',
        'policy_versions.version character varying(20)',
        'policy_versions.revision integer',
        'policy_versions.definition jsonb',
        'policy_versions.actor text',
        'policy_versions.reason text',
        'policy_versions.created_at timestamp with time zone',
        'policy_executions.policy_id uuid',
        'policy_executions.status character varying(20)',
        'policy_executions.result jsonb',
        'policy_executions.started_at timestamp with time zone',
        'policy_executions.completed_at timestamp with time zone',
      ]),
    );
    await database.close();
  });

  it('the rule store shares the database of the audit log, and leaves it open when it is closed', async () => {
    const audit = await openAuditDatabase({ url: await server.database('shared') });
    const log = createPostgresAuditStore(audit);
    const store = createPostgresPolicyStore(await rulesWithin(audit));
    await store.write(0, aWrite(aPolicy('beside'), 'created'));
    await store.close();
    const record = aRecord();
    expect(await log.record(record)).toEqual(record);
    // The audit log's own schema is opened again beside the tables of rules.
    await log.close();
    await (
      await openAuditDatabase({ url: audit.where.replace('PostgreSQL at ', 'postgres://gate:open-sesame@') })
    ).close();
  });

  it('the rule store reports a server that went away as StoreUnavailable, and writes again when it is back', async () => {
    const database = await openRuleDatabase({ url: await server.database('outage') });
    const store = createPostgresPolicyStore(database);
    await server.stop();
    await expect(store.write(0, aWrite(aPolicy('away'), 'created'))).rejects.toMatchObject({
      type: 'StoreUnavailable',
      message: `Cannot store the policy away: PostgreSQL at 127.0.0.1:${server.port}/outage refuses connections: nothing listens there (ECONNREFUSED)`,
    });
    await expect(store.setRevision()).rejects.toMatchObject({ type: 'StoreUnavailable' });
    await server.start();
    expect(await store.write(0, aWrite(aPolicy('away'), 'created'))).toEqual({ setRevision: 1 });
    await store.close();
  });
});

it('openRuleDatabase names its own setting when the URL is wrong', async () => {
  await expect(openRuleDatabase({ url: 'mysql://db' })).rejects.toMatchObject({
    type: 'ConfigInvalid',
    message: 'Expected rules.store.url to be postgres://user:password@host:port/database, got a mysql:// URL',
  });
});
