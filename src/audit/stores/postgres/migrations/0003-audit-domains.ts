import { sql, type Kysely, type Migration } from 'kysely';

/**
 * Records of other domains than the gate: they have a subject and a part in the place of deployment and stage. The gate's
 * rows keep their columns and take no room in the new indexes, so this step touches none of them, however many there are.
 */
export const auditDomains: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      alter table DeploymentGateAuditLog
        add column domain text not null default 'gate',
        add column subject text,
        add column part text,
        alter column deployment_id drop not null,
        alter column stage drop not null`.execute(db);
    await sql`
      create index gate_audit_by_subject
      on DeploymentGateAuditLog (domain, subject, occurred_at, decision_id collate "C")
      where subject is not null`.execute(db);
    await sql`
      create index gate_audit_by_domain
      on DeploymentGateAuditLog (domain, occurred_at, decision_id collate "C")
      where subject is not null`.execute(db);
  },
};
