import { Client } from 'pg';

/** Between two attempts to connect again. */
const RETRY_MS = 1_000;
const CONNECT_MS = 5_000;

/**
 * Hears what PostgreSQL's NOTIFY says on a channel, over a connection of its own that is opened again whenever it is lost.
 * What was said meanwhile is lost with it, so `onNews` is called after each connect as well: the caller reads what it missed.
 *
 * @param channel an SQL name of ours
 */
export function listenPostgres(url: string, channel: string, onNews: () => void): { close(): Promise<void> } {
  let closed = false;
  let current: Client | undefined;
  let wake: () => void = () => undefined;

  async function listenOnce(): Promise<void> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      application_name: 'planning-engine (listens)',
    });
    current = client;
    const lost = new Promise<void>((resolve) => {
      // Unheard, the event would end the process; the end of the connection is what counts.
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    client.on('notification', onNews);
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(channel)}`);
      onNews();
      await lost;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  const running = (async () => {
    while (!closed) {
      await listenOnce().catch(() => undefined);
      if (closed) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, RETRY_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();

  return {
    async close() {
      closed = true;
      wake();
      await current?.end().catch(() => undefined);
      await running;
    },
  };
}
