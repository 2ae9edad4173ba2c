import { afterAll, beforeAll, describe } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlanDatabase } from '../../../src/plans/store/postgres/open-plan-database';
import { createPostgresPlanStore } from '../../../src/plans/store/postgres/store';
import { startPostgres, type TestPostgres } from '../../support/postgres';
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
    const [store, other] = databases.map(createPostgresPlanStore) as [
      ReturnType<typeof createPostgresPlanStore>,
      ReturnType<typeof createPostgresPlanStore>,
    ];
    return { store, other, close: async () => void (await Promise.all([store.close(), other.close()])) };
  });
});
