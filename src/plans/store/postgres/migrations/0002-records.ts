import { sql, type Kysely, type Migration } from 'kysely';

/** Audit records that were written with their changes, and wait to be brought to the audit log. */
export const records: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table plan_records_waiting (
        seq bigint generated always as identity primary key,
        decision_id text not null unique,
        record text not null
      )`.execute(db);
  },
};
