import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Client } from 'pg';
import { openDatabase, type DatabaseSettings } from '../../../src/platform/database/database';
import { PLAN_STORE } from '../../../src/platform/database/store-kind';
import { planMigrations } from '../../../src/plans/store/postgres/migrations';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { StoreBusyError } from '../../../src/plans/store/plan-store';
import type { PlanSchema } from '../../../src/plans/store/postgres/schema';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { eventually } from '../../support/eventually';
import { startPostgres, type TestPostgres } from '../../support/postgres';
import { anObject } from '../objects';
import { describePlanStore } from './describe-plan-store';

const { '0001-objects': objects, '0002-records': records } = planMigrations;
const FIRST_STEPS = { '0001-objects': objects!, '0002-records': records! };

/** Tables as the first steps made them, with two objects of one owner and their events, are brought up to date. */
async function expectFilled(settings: DatabaseSettings): Promise<void> {
  const early = await openDatabase<PlanSchema>(settings, FIRST_STEPS, PLAN_STORE);
  const owner = { apiVersion: 'planspec.io/v1alpha1', kind: 'Plan', name: 'p', uid: 'u1' };
  const many = Array.from({ length: 600 }, (_, at) => `e${String(at).padStart(3, '0')}`);
  const stored = many.map((name) =>
    anObject('Execution', name, { note: 'a \u0000 and \ud800 text' }, { ownerReferences: [owner] }),
  );
  for (const each of [...stored, anObject('Goal', 'none', { note: '"ownerReferences"' })]) {
    const { kind, metadata } = each;
    const { namespace, name } = metadata;
    const document = JSON.stringify(each);
    await sql`insert into plan_objects values (${kind}, ${namespace}, ${name}, 1, ${document})`.execute(early.db);
  }
  await sql`insert into plan_events values (1, 'ADDED', ${JSON.stringify(stored[0])}, null)`.execute(early.db);
  await sql`update plan_store set revision = 1`.execute(early.db);
  await early.close();
  const store = createPostgresPlanStore(await openPlanDatabase(settings));
  try {
    const { namespace } = stored[0]!.metadata;
    const owned = await store.write((session) => session.owned({ namespace, uid: 'u1' }));
    expect(owned).toEqual(stored);
    expect(await store.prune({ events: 10, bytes: JSON.stringify(stored[0]).length })).toBe(0);
    expect(await store.prune({ events: 10, bytes: 10 })).toBe(1);
  } finally {
    await store.close();
  }
}

test('an embedded store of before finds what owners own, and how large its events are', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gate-plans-early-'));
  try {
    await expectFilled({ folder });
  } finally {
    await rm(folder, { recursive: true });
  }
});

describePlanStore('PGlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gate-plans-'));
  const store = createPostgresPlanStore(await openPlanDatabase({ folder }));
  return {
    store,
    other: store,
    async close() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe('with a PostgreSQL server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.close());

  describePlanStore('PostgreSQL', async () => {
    const url = await server.database('plans');
    // Two servers start at once on an empty database.
    const databases = await Promise.all([openPlanDatabase({ url }), openPlanDatabase({ url })]);
    const [store, other] = databases.map((each) => createPostgresPlanStore(each)) as [
      ReturnType<typeof createPostgresPlanStore>,
      ReturnType<typeof createPostgresPlanStore>,
    ];
    return { store, other, close: async () => void (await Promise.all([store.close(), other.close()])) };
  });

  test('a store of before on a server finds what owners own, and how large its events are', async () => {
    await expectFilled({ url: await server.database('early') });
  });

  test('many writers of two servers all get their turn, also behind a transaction that takes longer than a statement may, and reads go on meanwhile', async () => {
    const url = await server.database('contended');
    const stores = await Promise.all([1, 2].map(async () => createPostgresPlanStore(await openPlanDatabase({ url }))));
    const holder = new Client({ connectionString: url });
    const looker = new Client({ connectionString: url });
    await Promise.all([holder.connect(), looker.connect()]);
    try {
      await holder.query('begin');
      await holder.query('select * from plan_store for update');
      const WRITES = 150;
      const writing = stores.flatMap((store, at) =>
        Array.from({ length: WRITES }, (_, each) =>
          store.write((session) => session.create(anObject('Goal', `g${at}-${each}`, { description: 'ship' }))),
        ),
      );
      // Each attempt of a writer is a transaction of its own, and ends before its statement's time is over.
      const attempts = new Set<string>();
      const locks = new Set<string>();
      await eventually('a writer to ask a third time for the lock', async () => {
        const { rows } = await looker.query<{ at: Date; lock: string }>(
          "select xact_start as at, wait_event as lock from pg_stat_activity where datname = 'contended' and wait_event_type = 'Lock'",
        );
        rows.forEach(({ at, lock }) => {
          attempts.add(at.toISOString());
          locks.add(lock);
        });
        return attempts.size >= 2 * stores.length + 1;
      });
      // No statement waits for two locks, one after the other, for each of which it would have the whole time.
      expect([...locks].sort()).toEqual(['advisory', 'transactionid']);
      const many = Array.from({ length: 50 }, () => stores[0]!.list({ kind: 'Goal' }));
      expect((await Promise.all(many)).every(({ items }) => items.length === 0)).toBe(true);
      await holder.query('commit');
      await Promise.all(writing);
      expect((await stores[1]!.list({ kind: 'Goal' })).items).toHaveLength(2 * WRITES);
    } finally {
      await Promise.all([holder.end(), looker.end(), ...stores.map((store) => store.close())]);
    }
  });

  test('a connection that is lost between the reads and writes of a change is the failure of the store', async () => {
    const url = await server.database('lost');
    const store = createPostgresPlanStore(await openPlanDatabase({ url }));
    const other = new Client({ connectionString: url });
    await other.connect();
    try {
      const writing = store.write(async (session) => {
        await other.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'lost' and state = 'idle in transaction'",
        );
        return session.create(anObject('Goal', 'g', { description: 'ship' }));
      });
      await expect(writing).rejects.toMatchObject({ type: 'StoreUnavailable' });
      const made = await store.write((session) => session.create(anObject('Goal', 'g', { description: 'ship' })));
      expect((await store.list({ kind: 'Goal' })).items).toEqual([made]);
    } finally {
      await Promise.all([other.end(), store.close()]);
    }
  });

  test('a writer whose turn does not come in time is told that nothing was changed, and nothing was', async () => {
    const url = await server.database('busy');
    const store = createPostgresPlanStore(await openPlanDatabase({ url }), { waitMs: 100 });
    const holder = new Client({ connectionString: url });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select * from plan_store for update');
      const writing = ['a', 'b'].map((name) =>
        store.write((session) => session.create(anObject('Goal', name, { description: 'ship' }))),
      );
      for (const outcome of await Promise.allSettled(writing)) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: {
            type: 'StoreUnavailable',
            message: expect.stringMatching(/^Cannot write plans: PostgreSQL at .* was busy for 0\.1 seconds; nothing/),
            cause: expect.any(StoreBusyError),
          },
        });
      }
      await holder.query('rollback');
      expect((await store.list({ kind: 'Goal' })).items).toEqual([]);
    } finally {
      await Promise.all([holder.end(), store.close()]);
    }
  });
});
