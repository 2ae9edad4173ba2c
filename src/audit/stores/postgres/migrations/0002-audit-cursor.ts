import { sql, type Kysely, type Migration } from 'kysely';

const BATCH = 500;

/**
 * Records are ordered by time and, within a millisecond, by id in byte order, so that a page can continue after any record
 * whatever the database's collation. The manifest's version gets a column of its own.
 *
 * The column of earlier records is filled by parsing each record here: PostgreSQL's own JSON functions refuse records
 * that hold U+0000 or half a surrogate pair.
 */
export const auditCursor: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table DeploymentGateAuditLog add column manifest_version text`.execute(db);
    await fillManifestVersion(db);
    await sql`drop index gate_audit_by_deployment`.execute(db);
    await sql`drop index gate_audit_by_time`.execute(db);
    await sql`drop index gate_audit_by_outcome`.execute(db);
    await sql`
      create index gate_audit_by_deployment
      on DeploymentGateAuditLog (deployment_id, occurred_at, decision_id collate "C")`.execute(db);
    await sql`
      create index gate_audit_by_time on DeploymentGateAuditLog (occurred_at, decision_id collate "C")`.execute(db);
    await sql`
      create index gate_audit_by_outcome
      on DeploymentGateAuditLog (outcome, occurred_at, decision_id collate "C")`.execute(db);
    await sql`
      create index gate_audit_by_manifest_version
      on DeploymentGateAuditLog (manifest_version, occurred_at, decision_id collate "C")`.execute(db);
  },
};

async function fillManifestVersion(db: Kysely<unknown>): Promise<void> {
  let after = '0';
  for (;;) {
    const { rows } = await sql<{ seq: string | number; record: string }>`
      select seq, record from DeploymentGateAuditLog where seq > ${after} order by seq limit ${BATCH}`.execute(db);
    for (const { seq, record } of rows) {
      const { manifestVersion } = JSON.parse(record) as { manifestVersion?: string };
      if (manifestVersion === undefined) continue;
      const version = manifestVersion.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
      await sql`update DeploymentGateAuditLog set manifest_version = ${version} where seq = ${seq}`.execute(db);
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = String(last.seq);
  }
}
