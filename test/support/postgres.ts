import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';

export interface TestPostgres {
  port: number;
  /** URL of the database `name`, which is made when it is not there */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A real PostgreSQL server on a free port of the loopback address. */
export async function startPostgres(): Promise<TestPostgres> {
  const child = spawn(process.execPath, [join(__dirname, 'postgres-server.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function answer(): Promise<{ port: number }> {
    const { value, done } = await lines.next();
    if (done) throw new Error('The PostgreSQL server for tests ended too early; its output stands above');
    return JSON.parse(value as string) as { port: number };
  }
  async function tell(word: string): Promise<void> {
    child.stdin.write(`${word}\n`);
    await answer();
  }
  const { port } = await answer();
  const url = (name: string) => `postgres://gate:open-sesame@127.0.0.1:${port}/${name}`;
  return {
    port,
    async database(name) {
      const client = new Client({ connectionString: url('postgres') });
      await client.connect();
      await client.query(`create database ${client.escapeIdentifier(name)}`);
      await client.end();
      return url(name);
    },
    stop: () => tell('stop'),
    start: () => tell('start'),
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
