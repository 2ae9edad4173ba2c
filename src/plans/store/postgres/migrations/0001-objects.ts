import { sql, type Kysely, type Migration } from 'kysely';

/**
 * Objects, and an event for each write. Documents are text: JSONB reorders keys and refuses U+0000. `plan_store` has one row,
 * which every write locks first: the revision in it is that of the last write that is visible.
 */
export const objects: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table plan_store (
        id smallint primary key check (id = 1),
        revision bigint not null,
        -- of the newest event that was pruned
        pruned bigint not null
      )`.execute(db);
    await sql`insert into plan_store values (1, 0, 0)`.execute(db);
    await sql`
      create table plan_objects (
        kind varchar(63) not null,
        namespace varchar(63) collate "C" not null,
        name varchar(63) collate "C" not null,
        revision bigint not null,
        document text not null,
        primary key (kind, namespace, name)
      )`.execute(db);
    await sql`
      create table plan_events (
        revision bigint primary key,
        type varchar(10) not null,
        document text not null,
        labels_before text,
        written_at timestamptz not null default now()
      )`.execute(db);
  },
};
