import { sql, type Kysely, type Migration } from 'kysely';

/** How large the events are together, so that it need not be summed up again for each look whether some have to go. */
export const eventBytes: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`alter table plan_store add column event_bytes bigint not null default 0`.execute(db);
    await sql`
      update plan_store set event_bytes = (select coalesce(sum(octet_length(document)), 0) from plan_events)`.execute(
      db,
    );
  },
};
