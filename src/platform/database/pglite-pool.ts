import type { PGlite } from '@electric-sql/pglite';
import type { PostgresPool } from 'kysely';

type KyselyClient = Awaited<ReturnType<PostgresPool['connect']>>;

/**
 * An embedded PGlite as the pool that kysely's PostgreSQL dialect expects, so that both databases share one dialect. PGlite
 * has one connection: it is lent to one caller at a time, in the order of asking, so that no statement gets into
 * another's transaction. (kysely-pglite-dialect does not admit PGlite 0.5.)
 */
export function createPglitePool(pglite: PGlite): PostgresPool {
  let last: Promise<void> = Promise.resolve();
  return {
    async connect(): Promise<KyselyClient> {
      let release!: () => void;
      const turn = last;
      last = new Promise((resolve) => (release = resolve));
      await turn;
      return {
        async query(sql: string, parameters: readonly unknown[]) {
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
