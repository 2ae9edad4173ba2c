import type { PGlite } from '@electric-sql/pglite';
import type { PostgresPool } from 'kysely';
import { setImmediate as nextTurn } from 'node:timers/promises';

type KyselyClient = Awaited<ReturnType<PostgresPool['connect']>>;

/** How long statements may follow one another before the process does other work. */
const LONGEST_TURN_MS = 10;

/**
 * An embedded PGlite as the pool that kysely's PostgreSQL dialect expects, so that both databases share one dialect. PGlite
 * has one connection: it is lent to one caller at a time, in the order of asking, so that no statement gets into
 * another's transaction. (kysely-pglite-dialect does not admit PGlite 0.5.)
 *
 * PGlite answers within the same turn of the event loop, however many statements follow one another: so the pool ends the turn
 * before each caller, and in long transactions. Without that no request is read, and no timer runs, until all are done.
 */
export function createPglitePool(pglite: PGlite): PostgresPool {
  let last: Promise<void> = Promise.resolve();
  let turnBegan = 0;
  async function endTurn(): Promise<void> {
    await nextTurn();
    turnBegan = performance.now();
  }
  return {
    async connect(): Promise<KyselyClient> {
      let release!: () => void;
      const turn = last;
      last = new Promise((resolve) => (release = resolve));
      await turn;
      await endTurn();
      return {
        async query(sql: string, parameters: readonly unknown[]) {
          if (performance.now() - turnBegan > LONGEST_TURN_MS) await endTurn();
          const { rows, affectedRows } = await pglite.query(sql, [...parameters]);
          // The command only tells kysely whether rows were counted; this code asks with `returning` instead.
          return { command: 'SELECT', rowCount: affectedRows ?? 0, rows };
        },
        release,
      } as unknown as KyselyClient;
    },
    async end() {
      await last;
      await pglite.close();
    },
  };
}
