import { sql, type Kysely, type Migration } from 'kysely';
import type { PlanObject } from '../../../object';
import { ownerRows } from '../owner-rows';
import type { PlanSchema } from '../schema';

const ROWS_AT_ONCE = 500;

/** Who owns what, by the uid of the owner: to delete an object must not read its whole namespace. */
export const owners: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await sql`
      create table plan_owners (
        kind varchar(63) not null,
        namespace varchar(63) collate "C" not null,
        name varchar(63) collate "C" not null,
        owner_uid varchar(63) collate "C" not null,
        primary key (kind, namespace, name, owner_uid),
        foreign key (kind, namespace, name) references plan_objects on delete cascade
      )`.execute(db);
    await sql`create index plan_owners_by_uid on plan_owners (namespace, owner_uid)`.execute(db);
    await fill(db as Kysely<PlanSchema>);
  },
};

/** The documents are read here: PostgreSQL does not take every text that JSON may have, such as U+0000. */
async function fill(db: Kysely<PlanSchema>): Promise<void> {
  for (let after = { kind: '', namespace: '', name: '' }; ;) {
    const { kind, namespace, name } = after;
    const page = await db
      .selectFrom('plan_objects')
      .select(['kind', 'namespace', 'name', 'document'])
      .where(sql<boolean>`(kind, namespace, name) > (${kind}, ${namespace}, ${name})`)
      .where(sql<boolean>`position('"ownerReferences"' in document) > 0`)
      .orderBy('kind')
      .orderBy('namespace')
      .orderBy('name')
      .limit(ROWS_AT_ONCE)
      .execute();
    const rows = page.flatMap(({ document }) => ownerRows(JSON.parse(document) as PlanObject));
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      await db
        .insertInto('plan_owners')
        .values(rows.slice(at, at + ROWS_AT_ONCE))
        .execute();
    }
    const last = page.at(-1);
    if (last === undefined || page.length < ROWS_AT_ONCE) return;
    after = last;
  }
}
