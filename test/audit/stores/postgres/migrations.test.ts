import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { StoreSchema } from '../../../../src/audit/stores/postgres/schema';
import { migrations } from '../../../../src/audit/stores/postgres/migrations';
import { startRetention, sweepRecords } from '../../../../src/audit/stores/postgres/retention';
import { createPostgresAuditStore } from '../../../../src/audit/stores/postgres/store';
import { migrate } from '../../../../src/platform/database/migrate';
import { createPglitePool } from '../../../../src/platform/database/pglite-pool';
import { aDomainRecord, aRecord } from '../../a-record';

/** A row as the release before domains wrote it. */
async function insertAsBefore(db: Kysely<StoreSchema>, record: ReturnType<typeof aRecord>): Promise<void> {
  await sql`
    insert into DeploymentGateAuditLog
      (decision_id, kind, deployment_id, stage, occurred_at, outcome, actor, policy_sha, config_rev, manifest_version,
       reason_codes, facts, faults, record)
    values (${record.decisionID}, ${record.kind}, ${record.deploymentID}, ${record.stage}, ${record.timestamp},
      ${record.outcome}, ${record.actor}, ${record.policySHA}, ${record.configRev}, ${record.manifestVersion},
      '["max_pending_limit_exceeded"]', '[]', '[]', ${JSON.stringify(record)})`.execute(db);
}

describe('the audit log’s tables', () => {
  let db: Kysely<StoreSchema>;
  beforeAll(async () => {
    db = new Kysely<StoreSchema>({ dialect: new PostgresDialect({ pool: createPglitePool(await PGlite.create()) }) });
  });
  afterAll(() => db?.destroy());

  it('the step to domains leaves the records of before readable, and lets a worker of before continue writing', async () => {
    const { '0003-audit-domains': step, '0004-parts': _later, ...before } = migrations;
    expect(step).toBeDefined();
    await migrate(db, before);
    const early = aRecord({ timestamp: '2026-11-01T12:00:00.000Z' });
    await insertAsBefore(db, early);

    await migrate(db, migrations);
    const late = aRecord({ timestamp: '2026-11-01T12:00:01.000Z' });
    await insertAsBefore(db, late);
    const store = createPostgresAuditStore({ db, where: 'PGlite', close: () => Promise.resolve() });
    const ofRules = await store.record(aDomainRecord({ timestamp: '2026-11-01T12:00:02.000Z' }));

    expect(await store.list({})).toEqual([ofRules, late, early]);
    expect(await store.list({ domain: 'gate' })).toEqual([late, early]);
    expect(await store.list({ deploymentID: early.deploymentID, stage: early.stage })).toEqual([late, early]);
    expect(await store.record({ ...early, outcome: 'allow', reasons: [] })).toEqual(early);
  });

  it('shows what the columns tell of a record that was damaged, and adopts none', async () => {
    const store = createPostgresAuditStore({ db, where: 'PGlite', close: () => Promise.resolve() });
    const sound = await store.record(aRecord({ deploymentID: 'damaged', timestamp: '2026-11-01T13:00:00.000Z' }));
    const broken = await store.record(aRecord({ deploymentID: 'damaged', timestamp: '2026-11-01T13:00:01.000Z' }));
    await sql`
      update DeploymentGateAuditLog set record = left(record, 40)
      where decision_id = ${broken.decisionID}`.execute(db);
    const marked = {
      decisionID: broken.decisionID,
      deploymentID: 'damaged',
      outcome: 'deny',
      usedFacts: broken.usedFacts,
      damaged: [expect.stringContaining('its column record cannot be read')],
    };
    expect(await store.list({ deploymentID: 'damaged' })).toMatchObject([marked, sound]);
    expect(await store.get(broken.decisionID)).toMatchObject(marked);
    await expect(store.record(broken)).rejects.toMatchObject({ type: 'AuditWriteFailed' });
  });

  it('lose the records beyond the retention, batch by batch, and no other', async () => {
    const database = { db, where: 'PGlite', close: () => Promise.resolve() };
    const store = createPostgresAuditStore(database);
    const at = (day: number) => `2020-01-0${day}T00:00:00.000Z`;
    for (const day of [1, 2, 3, 4, 5]) await store.record(aRecord({ deploymentID: 'old', timestamp: at(day) }));
    await store.record(aDomainRecord({ subject: 'old', timestamp: at(1) }));
    const before = (await store.list({ limit: 1_000 })).length;
    expect(await sweepRecords(database, Date.parse(at(5)), 2)).toBe(5);
    expect((await store.list({ deploymentID: 'old' })).map(({ timestamp }) => timestamp)).toEqual([at(5)]);
    expect(await store.list({ limit: 1_000 })).toHaveLength(before - 5);
    expect(await sweepRecords(database, Date.parse(at(5)), 2)).toBe(0);
  });

  it('are swept at the start and again after a failure, until that is stopped', async () => {
    const database = { db, where: 'PGlite', close: () => Promise.resolve() };
    const store = createPostgresAuditStore(database);
    const logged: string[] = [];
    const logger = { warn: (_details: object, message: string) => void logged.push(message), error: () => undefined };
    const clock: { ms?: number } = {};
    const nowMs = (): number => {
      if (clock.ms === undefined) throw new Error('no clock yet');
      return clock.ms;
    };
    const record = await store.record(aRecord({ deploymentID: 'swept', timestamp: '2021-01-01T00:00:00.000Z' }));
    const retention = startRetention(database, { retentionMs: 86_400_000, logger, everyMs: 1, nowMs });
    while (logged.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await store.get(record.decisionID)).toEqual(record);
    clock.ms = Date.parse('2021-01-02T00:00:00.001Z');
    while ((await store.get(record.decisionID)) !== undefined) await new Promise((resolve) => setImmediate(resolve));
    await retention.stop();
    expect(logged[0]).toContain('could not be deleted; trying again');
  });
});
