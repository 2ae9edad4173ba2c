import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PGlite } from '@electric-sql/pglite';
import type { PostgresPool } from 'kysely';
import { createPglitePool } from '../../../src/platform/database/pglite-pool';

describe('the pool of an embedded PGlite', () => {
  let pool: PostgresPool;

  beforeAll(async () => {
    pool = createPglitePool(await PGlite.create());
  });
  afterAll(() => pool.end());

  /** How often the event loop came round while `work` was under way: as often could a request be read from a socket. */
  async function turnsDuring(work: () => Promise<void>): Promise<number> {
    let turns = 0;
    let ended = false;
    const count = (): void => {
      turns += 1;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    await work();
    ended = true;
    return turns;
  }

  it('lets the process do other work between those who have the connection', async () => {
    const turns = await turnsDuring(async () => {
      for (let each = 0; each < 100; each += 1) {
        const client = await pool.connect();
        await client.query('select 1', []);
        client.release();
      }
    });
    expect(turns).toBeGreaterThanOrEqual(100);
  });

  it('lets the process do other work in a long transaction', async () => {
    const client = await pool.connect();
    const turns = await turnsDuring(async () => {
      // Each takes longer than statements may follow one another.
      for (let each = 0; each < 20; each += 1) await client.query('select pg_sleep(0.02)', []);
    });
    client.release();
    expect(turns).toBeGreaterThanOrEqual(19);
  });
});
