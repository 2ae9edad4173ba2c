import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './free-ports';
import { dieWithParent, hasEnded, stopChild } from './supervise';

export interface DynamoDbServerOptions {
  /** gets the server's output, appended */
  logFile: string;
  /** where tables are kept; absent, in memory: a stopped server's are gone */
  folder?: string;
  /** @default a free one; pass a stopped server's to start it again at the same address */
  port?: number;
}

export interface DynamoDbServer {
  endpoint: string;
  port: number;
  region: string;
  /** AWS SDK's variables for a client of it */
  env: Record<string, string>;
  pid: number;
  /** SIGTERM, then SIGKILL; safe to call twice */
  stop(): Promise<void>;
}

const REGION = 'us-east-1';
const START_TIMEOUT_MS = 15_000;

/**
 * A DynamoDB stand-in (dynalite) on loopback; resolves when it answers. It dies with this process. It knows no TTL and no
 * transactions.
 *
 * @throws Error with the end of its log when it ends, or does not answer in time
 */
export async function startDynamoDbServer(options: DynamoDbServerOptions): Promise<DynamoDbServer> {
  const port = options.port ?? (await freePorts(1))[0]!;
  const log = openSync(options.logFile, 'a');
  const args = [
    require.resolve('dynalite/cli.js'),
    ...['--host', '127.0.0.1', '--port', `${port}`],
    ...['--createTableMs', '0', '--deleteTableMs', '0', '--updateTableMs', '0'],
    ...(options.folder === undefined ? [] : ['--path', options.folder]),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  child.on('error', () => undefined);
  dieWithParent(child);
  const endpoint = `http://127.0.0.1:${port}`;
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(endpoint))) {
    if (child.pid === undefined || hasEnded(child) || Date.now() > deadlineMs) {
      await stopChild(child);
      const tail = readFileSync(options.logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
      throw new Error(
        `Expected the DynamoDB stand-in to answer at ${endpoint} within ${START_TIMEOUT_MS} ms; its log: ${tail}`,
      );
    }
    await delay(25);
  }
  return {
    endpoint,
    port,
    region: REGION,
    env: {
      AWS_ACCESS_KEY_ID: 'local-access-key',
      AWS_SECRET_ACCESS_KEY: 'local-secret-key',
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    pid: child.pid as number,
    stop: () => stopChild(child),
  };
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    await (await fetch(endpoint, { signal: AbortSignal.timeout(1_000) })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
