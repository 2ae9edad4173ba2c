import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePorts } from '../../src/dev/free-ports';
import { dieWithParent, hasEnded, stopChild } from '../../src/dev/supervise';
import { withSignal } from '../../src/platform/timers/with-signal';

const run = promisify(execFile);

const VERSION = '2.6.1';
const FETCH_WITHIN_MS = 240_000;
const START_WITHIN_MS = 240_000;

export interface DynamoDbLocal {
  endpoint: string;
  stop(): Promise<void>;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId><artifactId>dynamodb-local</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency>
    <groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>${VERSION}</version>
  </dependency></dependencies>
</project>`;

/**
 * DynamoDB Local, which knows TTL, where this machine can have it: it needs Java 17, and Maven with the machine's own
 * settings to fetch it once into the user's cache.
 *
 * @returns why not, as a text, where it cannot
 */
export async function startDynamoDbLocal(): Promise<DynamoDbLocal | string> {
  const version = await run('java', ['-version']).then(
    ({ stderr }) => /version "(\d+)/.exec(stderr)?.[1],
    () => undefined,
  );
  if (version === undefined) return 'java is not installed';
  if (Number(version) < 17) return `java ${version} is too old, 17 is needed`;
  let library: string;
  try {
    library = await fetchLibrary();
  } catch (error) {
    return `mvn could not fetch DynamoDB Local ${VERSION}: ${String((error as Error).message).split('\n')[0]}`;
  }
  const folder = await mkdtemp(join(tmpdir(), 'gate-dynamodb-local-'));
  const [port] = (await freePorts(1)) as [number];
  const log = openSync(join(folder, 'log'), 'a');
  // It listens on all interfaces, and has no option against that; its tables are in memory and go with it.
  const args = ['-cp', join(library, '*'), 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner'];
  const options = ['-inMemory', '-disableTelemetry', '-port', String(port)];
  const child = spawn('java', [...args, ...options], { stdio: ['ignore', log, log], detached: true, cwd: folder });
  closeSync(log);
  dieWithParent(child);
  const stop = async () => {
    await stopChild(child);
    await rm(folder, { recursive: true, force: true });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + START_WITHIN_MS; ; await delay(100)) {
    const answered = await withSignal({ timeoutMs: 1_000 }, (signal) => fetch(endpoint, { signal })).then(
      () => true,
      () => false,
    );
    if (answered) return { endpoint, stop };
    if (hasEnded(child) || Date.now() > deadline) {
      await stop();
      throw new Error('DynamoDB Local did not start');
    }
  }
}

/** The folder of its jars: fetched whole or not at all, by whoever comes first. */
async function fetchLibrary(): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const library = join(cache, 'planning-engine', `dynamodb-local-${VERSION}`);
  if (existsSync(library)) return library;
  await mkdir(dirname(library), { recursive: true });
  const work = await mkdtemp(`${library}.`);
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(work, 'lib')}`];
    await run('mvn', ['-B', '-q', ...goal], { cwd: work, timeout: FETCH_WITHIN_MS });
    await rename(join(work, 'lib'), library).catch((error: unknown) => {
      if (!existsSync(library)) throw error;
    });
    return library;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
