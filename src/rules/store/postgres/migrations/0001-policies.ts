import { sql, type Kysely, type Migration } from 'kysely';

/**
 * Policies, each of their revisions, and what was executed for them. Documents are text, because JSONB reorders keys and
 * refuses U+0000; JSONB beside it is for SQL. `policy_set` has one row: the revision of all policies together, which every
 * change takes as its lock.
 *
 * Indexes follow the questions that are asked: the living by name and by type, what changed since a revision of the set, the
 * executions of one policy, of one status, and the newest of all.
 */
export const policies: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table policies (
        id uuid primary key,
        name varchar(255) not null,
        type varchar(50) not null,
        version varchar(20) not null,
        revision integer not null check (revision > 0),
        priority bigint not null,
        enabled boolean not null,
        definition jsonb not null,
        document text not null,
        set_revision bigint not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        deleted_at timestamptz
      )`.execute(db);
    await sql`
      create unique index policies_by_name on policies (name collate "C") where deleted_at is null`.execute(db);
    await sql`
      create index policies_by_type on policies (type, name collate "C") where deleted_at is null`.execute(db);
    await sql`create index policies_by_set_revision on policies (set_revision)`.execute(db);
    await sql`
      create table policy_versions (
        policy_id uuid not null references policies (id),
        revision integer not null,
        version varchar(20) not null,
        change varchar(20) not null,
        name varchar(255) not null,
        type varchar(50) not null,
        definition jsonb not null,
        document text not null,
        restores integer,
        actor text not null,
        reason text not null,
        created_at timestamptz not null,
        primary key (policy_id, revision)
      )`.execute(db);
    await sql`
      create function policy_versions_are_immutable() returns trigger language plpgsql as $$
      begin
        raise exception 'a revision of a policy is never changed';
      end $$`.execute(db);
    await sql`
      create trigger policy_versions_immutable before update or delete on policy_versions
      for each row execute function policy_versions_are_immutable()`.execute(db);
    await sql`
      create table policy_executions (
        id uuid primary key,
        policy_id uuid not null references policies (id),
        policy_revision integer not null,
        operation text,
        status varchar(20) not null,
        state_digest text not null,
        state_version text,
        actor text not null,
        workflow_id text,
        result jsonb,
        started_at timestamptz not null,
        completed_at timestamptz,
        execution text not null
      )`.execute(db);
    await sql`create index policy_executions_by_time on policy_executions (started_at, id)`.execute(db);
    await sql`create index policy_executions_by_status on policy_executions (status, started_at, id)`.execute(db);
    await sql`
      create table policy_execution_policies (
        policy_id uuid not null references policies (id),
        execution_id uuid not null references policy_executions (id),
        started_at timestamptz not null,
        primary key (policy_id, started_at, execution_id)
      )`.execute(db);
    await sql`
      create table policy_records_waiting (
        seq bigint generated always as identity primary key,
        decision_id text not null unique,
        record text not null
      )`.execute(db);
    await sql`
      create table policy_set (one boolean primary key check (one), revision bigint not null)`.execute(db);
    await sql`insert into policy_set (one, revision) values (true, 0)`.execute(db);
  },
};
