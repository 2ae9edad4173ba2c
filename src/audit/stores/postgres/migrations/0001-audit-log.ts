import { sql, type Kysely, type Migration } from 'kysely';

/**
 * The audit log. The record is text, because JSONB would reorder its keys and refuses the character U+0000 that
 * a fact may hold; facts and faults are beside it as JSONB so that auditors can ask for them in SQL.
 *
 * Indexes follow the questions that are asked: one deployment's story (and its stages), the newest of all, the newest of
 * one outcome, and who was denied for one reason. Each ends in the order of the answer, so a limit reads no more rows
 * than it returns.
 */
export const auditLog: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table DeploymentGateAuditLog (
        seq bigint generated always as identity,
        decision_id text primary key,
        kind text not null,
        deployment_id text not null,
        stage text not null,
        occurred_at timestamptz not null,
        outcome text,
        actor text not null,
        policy_sha text,
        config_rev text,
        reason_codes jsonb not null,
        facts jsonb not null,
        faults jsonb not null,
        record text not null
      )`.execute(db);
    await sql`
      create index gate_audit_by_deployment on DeploymentGateAuditLog (deployment_id, occurred_at, seq)`.execute(db);
    await sql`create index gate_audit_by_time on DeploymentGateAuditLog (occurred_at, seq)`.execute(db);
    await sql`create index gate_audit_by_outcome on DeploymentGateAuditLog (outcome, occurred_at, seq)`.execute(db);
    await sql`create index gate_audit_by_reason on DeploymentGateAuditLog using gin (reason_codes)`.execute(db);
  },
};
