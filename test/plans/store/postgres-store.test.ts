import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { StoreBusyError } from '../../../src/plans/store/plan-store';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { eventually } from '../../support/eventually';
import { startPostgres, type TestPostgres } from '../../support/postgres';
import { anObject } from '../objects';
import { describePlanStore } from './describe-plan-store';

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
