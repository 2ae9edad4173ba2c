import { sql, type Kysely, type Migration } from 'kysely';

/** Facts of decisions that are still to be recorded, where they are too big to pass through Temporal; swept after a day. */
export const parts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table DeploymentGateParts (
        sha256 text primary key,
        content bytea not null,
        put_at timestamptz not null default now()
      )`.execute(db);
    await sql`create index gate_parts_by_time on DeploymentGateParts (put_at)`.execute(db);
  },
};
