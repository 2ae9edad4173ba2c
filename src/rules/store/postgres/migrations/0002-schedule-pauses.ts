import { sql, type Kysely, type Migration } from 'kysely';

/** Who keeps policies from running by their triggers: a row for each policy, and one called `all`. */
export const schedulePauses: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table policy_schedule_pauses (
        scope text primary key,
        actor text not null,
        reason text not null,
        paused_at timestamptz not null
      )`.execute(db);
  },
};
